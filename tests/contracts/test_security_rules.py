"""Rules of docs/security.md that can be read off the source: nothing of a stranger's is run, unpickled, or shown as markup."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for top in ("core", "dashboard", "tools", "benchmarks") for path in (ROOT / top).rglob("*.py"))
OURS = [path for path in FILES if path.relative_to(ROOT).parts[0] in ("core", "dashboard")]
FRONT = [path for path in FILES if path.relative_to(ROOT).parts[0] == "dashboard"]
SCRIPTS = sorted((ROOT / "dashboard").rglob("*.js"))
STYLES = sorted((ROOT / "dashboard").rglob("*.css"))

UNPICKLE = {"pickle", "_pickle", "pickletools", "marshal", "shelve", "dill", "cloudpickle", "joblib", "dbm"}
RUN_TEXT = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv", "pty.spawn"}
STARTS = {"run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput"}
ESCAPING = {"escape", "quote", "tensor_cards", "standings"}
"""What makes HTML harmless: two functions of the standard library, and two of ours, tested with script in every text."""
NETWORK = {"requests", "httpx", "aiohttp", "urllib", "http", "ftplib", "smtplib", "xmlrpc", "websockets", "socketserver"}
WITHOUT_A_CONNECTION = ("urllib.parse", "http.HTTPStatus", "http.cookies")
DOWNLOAD = "core/data/download.py"
"""The one call to the outside: a visitor's click on Download, for a data set whose addresses torchvision holds."""
ASKING = {"urlopen", "urlretrieve", "load_state_dict_from_url", "download_url", "fetch_openml", "create_connection"}
MARKUP = re.compile(
    r"\.(inner|outer)HTML\b|insertAdjacentHTML|createContextualFragment|DOMParser|document\.write|srcdoc|setHTMLUnsafe"
    r"|\beval\s*\(|\bnew\s+Function\b|\bset(Timeout|Interval)\s*\(\s*[\"'`]|javascript:|\.on[a-z]+\s*=\s*[\"'`]"
    r"|document\.cookie|sendBeacon|XMLHttpRequest|EventSource|postMessage"
)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def calls(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    """Every call in a file, by its dotted name."""
    return tuple((dotted(node.func), node) for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def dotted(name: ast.expr) -> str:
    """The name of what is called; empty before the first dot where that is no name."""
    if isinstance(name, ast.Attribute):
        return f"{dotted(name.value)}.{name.attr}"
    return name.id if isinstance(name, ast.Name) else ""


def keyword(call: ast.Call, name: str) -> object:
    """What a call gives for a keyword: None where it does not say, ... where it is no constant."""
    return next((getattr(one.value, "value", ...) for one in call.keywords if one.arg == name), None)


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def where_called(paths: list[Path], is_wrong) -> list[str]:
    """File, line and call, wherever `is_wrong` says so of a call's name and node."""
    return [f"{place(path)}:{call.lineno} {name}" for path in paths for name, call in calls(path) if is_wrong(name, call)]


def test_nothing_is_unpickled():
    importing = [place(path) for path in FILES if {module.split(".")[0] for module in imported(path)} & UNPICKLE]
    assert importing == []
    unsafe = where_called(
        FILES,
        lambda name, call: (
            (name == "torch.load" and keyword(call, "weights_only") is not True)
            or (name in ("np.load", "numpy.load") and keyword(call, "allow_pickle") not in (None, False))
            or name.endswith(".read_pickle")
        ),
    )
    assert unsafe == []


def test_no_text_is_run():
    assert where_called(FILES, lambda name, _: name in RUN_TEXT or name.partition(".")[0] == "runpy") == []
    built = {"load", "load_all", "full_load", "unsafe_load"}
    assert where_called(FILES, lambda name, _: name.startswith("yaml.") and name[5:] in built) == []


def words_of(call: ast.Call, path: Path) -> ast.expr | None:
    """The words of a process, also where they have a name first."""
    lists = {
        target.id: node.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value, ast.List)
    }
    given = call.args[0]
    return lists.get(given.id) if isinstance(given, ast.Name) else given


def test_every_process_is_a_list_of_words_that_begins_with_our_python_and_needs_no_shell():
    wrong = []
    for path in FILES:
        for name, call in calls(path):
            if name.partition(".")[0] != "subprocess" or name.rpartition(".")[2] not in STARTS:
                continue
            words = words_of(call, path)
            first = ast.unparse(words.elts[0]) if isinstance(words, ast.List) else "no list"
            in_benchmark = place(path).startswith("benchmarks/") and first in ("UV", "python")  # of a peer's own environment
            if keyword(call, "shell") not in (None, False) or not (first == "sys.executable" or in_benchmark):
                wrong.append(f"{place(path)}:{call.lineno} {first}")
    assert wrong == []


def is_harmless_html(given: ast.expr, paths: frozenset[str] = frozenset()) -> bool:
    """A file of ours, or text in which every part that is not written there went through one of ESCAPING."""
    if isinstance(given, ast.BinOp | ast.Name):
        return ast.unparse(given).startswith("ASSETS / ") or ast.unparse(given) in paths
    if isinstance(given, ast.JoinedStr):
        return all(isinstance(part, ast.Constant) or is_harmless_html(part.value) for part in given.values)
    return isinstance(given, ast.Call) and ast.unparse(given.func) in ESCAPING


def test_no_text_of_a_stranger_becomes_markup():
    for path in FRONT:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"unsafe_allow_html|components\.v1|\.write_html\(|st\.iframe", source), place(path)
        arguments = [node for node in ast.walk(tree(path)) if isinstance(node, ast.arg) and node.annotation is not None]
        paths = frozenset(one.arg for one in arguments if ast.unparse(one.annotation) == "Path")
        given = [call.args[0] for name, call in calls(path) if name == "st.html"]
        assert [ast.unparse(one) for one in given if not is_harmless_html(one, paths)] == [], place(path)


def test_no_script_writes_markup_or_runs_text():
    found = {
        f"{place(path)}:{number}": line.strip()
        for path in SCRIPTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MARKUP.search(line)
    }
    assert found == {}


def outside(text: str) -> list[str]:
    """Addresses of other hosts; names of XML vocabularies are never fetched."""
    found = re.findall(r"(?:https?:|wss?:)?//[a-zA-Z0-9][\w-]*(?:\.[\w-]+)+[^\s\"'`)]*", text)
    return [address for address in found if not address.startswith("http://www.w3.org/2000/svg")]


@pytest.mark.parametrize("path", [*SCRIPTS, *STYLES], ids=place)
def test_no_script_or_style_names_another_host(path):
    source = path.read_text(encoding="utf-8")
    comments = r"/\*.*?\*/" if path.suffix == ".css" else r"(?m)(^|\s)//.*$"
    assert outside(re.sub(comments, "", source, flags=re.DOTALL if path.suffix == ".css" else 0)) == []
    assert not re.search(r"@import|url\(\s*[\"']?(https?:|//)", source)


def test_nothing_outside_is_called_by_the_server():
    network = {place(path): {one for one in imported(path) if one.split(".")[0] in NETWORK} for path in OURS}
    assert network.pop(DOWNLOAD) == {"http.client", "urllib.request"}
    assert {
        path: found for path, found in network.items() if any(not one.startswith(WITHOUT_A_CONNECTION) for one in found)
    } == {}

    def asks(name: str, call: ast.Call) -> bool:
        last = name.rpartition(".")[2]
        wants = any(keyword(call, one) not in (None, False, ...) for one in ("download", "pretrained"))
        return last in ASKING or last.startswith("fetch_") or wants

    assert [one for one in where_called(OURS, asks) if not one.startswith(DOWNLOAD)] == []


def test_streamlit_is_told_to_keep_to_itself():
    told = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    server, client = told["server"], told["client"]
    assert server["address"] == "127.0.0.1"
    assert (server["enableXsrfProtection"], server["enableCORS"], server["enableStaticServing"]) == (True, True, False)
    assert (server["fileWatcherType"], told["browser"]["gatherUsageStats"]) == ("none", False)
    assert (client["showErrorDetails"], client["toolbarMode"], client["allowedOrigins"]) == ("none", "minimal", [])


def html(text: str) -> bool:
    return is_harmless_html(ast.parse(text, mode="eval").body)


def test_the_rules_find_what_they_forbid():
    assert outside("fetch('https://cdn.example.com/x.js')") == ["https://cdn.example.com/x.js"]
    assert outside('src = "//cdn.example.com/x"') == ["//cdn.example.com/x"]
    assert html("f'<b>{escape(name)}</b>'")
    assert not html("f'<b>{name}</b>'")
    assert not html("text")
    assert MARKUP.search("element.innerHTML = text")
    (call,) = [node for node in ast.walk(ast.parse("torch.load(f, weights_only=False)")) if isinstance(node, ast.Call)]
    assert keyword(call, "weights_only") is False
