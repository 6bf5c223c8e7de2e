"""The scripts of the components import each other by name; a browser finds out only when somebody opens the page."""

import re

import pytest

from dashboard.components.shared import scripts

SCRIPTS = {name: text.decode() for name, text in scripts().items()}
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.]+)";', re.MULTILINE)


def exported(script: str) -> set[str]:
    """The names that a script exports."""
    named = re.findall(r"^export (?:async )?(?:function\*?|class|const|let) (\w+)", script, re.MULTILINE)
    listed = [name.strip() for names in re.findall(r"^export \{([^}]*)\}", script, re.MULTILINE) for name in names.split(",")]
    return {*named, *listed}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_only_what_others_export(name):
    for names, source in IMPORT.findall(SCRIPTS[name]):
        wanted = {one.strip().split(" as ")[0] for one in names.split(",") if one.strip()}
        assert wanted <= exported(SCRIPTS[source]), (source, wanted - exported(SCRIPTS[source]))


def test_imports_are_found_at_all():
    assert sum(len(IMPORT.findall(script)) for script in SCRIPTS.values()) > 30
