import sys

import pytest

from core.settings import Settings
from dashboard import workshop
from dashboard.workshop import LETTERS, code, command, environment, lines, parser, reachable

NAMES = ["192.168.1.20", "teacher-laptop"]


def test_codes_can_be_read_from_a_board_and_differ() -> None:
    made = {code() for _again in range(200)}
    assert len(made) == 200
    assert all(len(one) == 9 and set(one.replace("-", "", 1)) <= set(LETTERS) for one in made)
    assert not set("0o1il") & set(LETTERS)


def test_what_is_missing_is_made_up_and_what_is_set_stays(monkeypatch) -> None:
    made = environment({"PATH": "/bin", "LAYERWISE_MAX_RUNNING": "9"}, NAMES)
    assert made["LAYERWISE_ALLOWED_HOSTS"] == "localhost,127.0.0.1,[::1],192.168.1.20,teacher-laptop"
    assert len(made["LAYERWISE_HOST_KEY"]) >= 20
    assert made["LAYERWISE_ACCESS_CODE"]
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert (settings.profile, settings.max_running, settings.upload_mb) == ("workshop", 9, 20)
    own = {"LAYERWISE_ACCESS_CODE": "mine", "LAYERWISE_HOST_KEY": "own", "LAYERWISE_ALLOWED_HOSTS": "learn.example"}
    assert environment(own, NAMES).items() >= own.items()
    assert environment({"LAYERWISE_ACCESS_CODE": " "}, NAMES)["LAYERWISE_ACCESS_CODE"].strip()
    assert environment(own, NAMES, has_code=False)["LAYERWISE_ACCESS_CODE"] == ""


def test_the_host_is_told_all_once() -> None:
    made = environment({}, NAMES)
    text = "\n".join(lines(made, NAMES, 8600))
    assert all(f"http://{name}:8600" in text for name in NAMES)
    assert text.count(made["LAYERWISE_ACCESS_CODE"]) == text.count(made["LAYERWISE_HOST_KEY"]) == 1
    assert "need no code" in "\n".join(lines(environment({}, NAMES, has_code=False), NAMES, 8600))
    assert "http://localhost:8600" in "\n".join(lines(made, [], 8600))


def test_the_server_listens_for_others_with_the_upload_of_the_profile() -> None:
    words = command(8600, 20, "teacher-laptop")
    assert words[:4] == [sys.executable, "-m", "streamlit", "run"]
    options = dict(zip(words[5::2], words[6::2], strict=True))
    assert options == {
        "--server.address": "0.0.0.0",
        "--server.port": "8600",
        "--server.maxUploadSize": "20",
        "--browser.serverAddress": "teacher-laptop",
    }
    assert not any("CODE" in word or "KEY" in word for word in words)  # every process could read them there


def test_only_addresses_that_others_reach_are_told() -> None:
    assert reachable(["127.0.0.1", "192.168.1.20", "169.254.3.4", "192.168.1.20", "0.0.0.0"]) == ["192.168.1.20"]
    assert "localhost" not in workshop.lan_names()


def test_main_becomes_the_server_with_secrets_in_its_environment_alone(monkeypatch, capsys) -> None:
    became = []
    monkeypatch.setattr(workshop.os, "environ", {"LAYERWISE_HOST_KEY": "own key"})
    monkeypatch.setattr(workshop.os, "execve", lambda *words: became.append(words))
    workshop.main(["--port", "8600", "--no-code"])
    ((file, words, variables),) = became
    assert file == sys.executable
    assert "8600" in words
    assert (variables["LAYERWISE_ACCESS_CODE"], variables["LAYERWISE_PROFILE"]) == ("", "workshop")
    assert "own key" in capsys.readouterr().out


@pytest.mark.parametrize("port", ["0", "65536", "-1", "1e3", "x", "٣"])
def test_a_port_that_is_none_is_refused(port: str, capsys) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--port", port])
    assert "is no port" in capsys.readouterr().err
