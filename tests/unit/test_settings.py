from __future__ import annotations

import pickle

import pytest

from colony_jupyter import AsyncColony, Colony, settings
from colony_jupyter.errors import SettingsError
from colony_jupyter.wire.identity import PrivateKey

KEY = "1f" * 32
OTHER_KEY = "2e" * 32
REAL = {
    "COLONIES_SERVER_HOST": "colony.example",
    "COLONIES_SERVER_PORT": "50080",
    "COLONIES_TLS": "false",
    "COLONIES_COLONY_NAME": "lab",
    "COLONIES_PRVKEY": KEY,
}


def test_with_nothing_configured_it_is_the_embedded_colony(tmp_path):
    found = settings.resolve({}, data=tmp_path)
    assert found.is_embedded
    assert found.colonyname == "dev"
    assert str(tmp_path) in found.describe()


def test_the_host_names_a_real_server():
    found = settings.resolve(REAL)
    assert (found.host, found.port, found.tls, found.colonyname) == ("colony.example", 50080, False, "lab")
    assert found.prvkey == PrivateKey(KEY)
    assert not found.is_embedded
    assert found.describe() == "colony 'lab' at colony.example:50080 (no TLS)"


@pytest.mark.parametrize("name", ["COLONIES_PRVKEY", "COLONIES_SERVER_PORT", "COLONIES_COLONY_NAME", "COLONIES_TLS"])
def test_half_a_configuration_names_what_is_missing(name):
    with pytest.raises(SettingsError, match=f"{name} is set, but COLONIES_SERVER_HOST is not"):
        settings.resolve({name: "true"})


@pytest.mark.parametrize("name", ["COLONIES_PRVKEY", "COLONIES_COLONY_NAME"])
def test_a_real_server_needs_a_colony_and_a_key(name):
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        settings.resolve({**REAL, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COLONIES_SERVER_PORT", "many"),
        ("COLONIES_SERVER_PORT", "0"),
        ("COLONIES_SERVER_PORT", "65536"),
        ("COLONIES_TLS", "maybe"),
        ("COLONIES_PRVKEY", "beef"),
        ("COLONIES_COLONY_PRVKEY", "0" * 64),
        ("COLONIES_SERVER_PRVKEY", "zz" * 32),
    ],
)
def test_a_value_that_cannot_be_read_names_its_variable(name, value):
    with pytest.raises(SettingsError, match=name):
        settings.resolve({**REAL, name: value})


def test_a_wrong_key_is_not_repeated():
    wrong = "ab" * 31 + "a"
    with pytest.raises(SettingsError) as caught:
        settings.resolve({**REAL, "COLONIES_PRVKEY": wrong})
    assert wrong not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_older_name_of_the_tls_variable_counts_too():
    environ = {name: value for name, value in REAL.items() if name != "COLONIES_TLS"}
    assert settings.resolve({**environ, "COLONIES_SERVER_TLS": "true"}).tls
    assert not settings.resolve({**environ, "COLONIES_SERVER_TLS": "true", "COLONIES_TLS": "false"}).tls


def test_arguments_come_before_the_environment():
    found = settings.resolve(REAL, host="other.example", port=1234, tls=True, colonyname="other")
    assert (found.host, found.port, found.tls, found.colonyname) == ("other.example", 1234, True, "other")
    assert found.sources["host"] == "argument"
    assert settings.resolve(REAL, use_embedded=True).is_embedded


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"COLONIES_SERVER_HOST": "127.0.0.1:50080"}, ("127.0.0.1", 50080, False)),
        ({"COLONIES_SERVER_HOST": "h:50180", "COLONIES_SERVER_PORT": ""}, ("h", 50180, False)),
        ({"COLONIES_SERVER_HOST": "https://h", "COLONIES_TLS": "", "COLONIES_SERVER_PORT": ""}, ("h", 443, True)),
        ({"COLONIES_SERVER_HOST": "http://h", "COLONIES_SERVER_PORT": ""}, ("h", 80, False)),
        ({"COLONIES_SERVER_HOST": "::1"}, ("::1", 50080, False)),
    ],
)
def test_the_host_may_be_a_whole_address(environ, place):
    found = settings.resolve({**REAL, **environ})
    assert (found.host, found.port, found.tls) == place


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({"COLONIES_SERVER_HOST": "127.0.0.1:50180"}, "the port as 50180, COLONIES_SERVER_PORT as 50080"),
        ({"COLONIES_SERVER_HOST": "https://h:50080"}, "TLS as True, COLONIES_TLS as False"),
    ],
)
def test_an_address_that_contradicts_another_variable_is_refused(environ, what):
    with pytest.raises(SettingsError, match=f"COLONIES_SERVER_HOST states {what}"):
        settings.resolve({**REAL, **environ})


def test_an_address_given_as_an_argument_precedes_the_variables():
    found = settings.resolve(REAL, host="https://other.example:8443")
    assert (found.host, found.port, found.tls) == ("other.example", 8443, True)
    assert found.sources["port"] == found.sources["tls"] == "argument"
    with pytest.raises(SettingsError, match="The argument host states the port as 1, the argument port as 2"):
        settings.resolve(REAL, host="other.example:1", port=2)


def test_an_ipv6_address_is_shown_in_brackets():
    found = settings.resolve(REAL, host="::1")
    assert found.address == "[::1]:50080"
    assert "at [::1]:50080 (no TLS)" in found.describe()


def test_the_proxy_is_part_of_the_settings_and_its_password_is_not_shown():
    found = settings.resolve({**REAL, "HTTP_PROXY": "http://me:secret@proxy.example:3128"})
    assert found.proxy.url == "http://me:secret@proxy.example:3128"
    assert found.sources["proxy"] == "HTTP_PROXY"
    assert "(no TLS, by the proxy http://proxy.example:3128)" in found.describe()
    assert "secret" not in repr(found)


def test_the_embedded_colony_uses_no_proxy(tmp_path):
    assert settings.resolve({"HTTP_PROXY": "nonsense://"}, data=tmp_path).proxy is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("SSL_CERT_FILE", __file__), ("SSLKEYLOGFILE", "/nowhere/keys.log"), ("HTTPS_PROXY", "socks://h:1080")],
)
def test_files_and_proxies_of_tls_count_only_with_tls(name, value):
    settings.resolve({**REAL, name: value})
    with pytest.raises(SettingsError, match=name):
        settings.resolve({**REAL, "COLONIES_TLS": "true", name: value})


def test_the_embedded_colony_has_one_name(tmp_path):
    with pytest.raises(SettingsError, match="dev"):
        settings.resolve({}, colonyname="prod", data=tmp_path)


def test_a_certificate_file_must_exist(tmp_path):
    with pytest.raises(SettingsError, match="SSL_CERT_FILE"):
        settings.resolve({**REAL, "COLONIES_TLS": "true", "SSL_CERT_FILE": str(tmp_path / "none.pem")})


def test_no_key_shows_in_words_reprs_or_pickles():
    found = settings.resolve({**REAL, "COLONIES_COLONY_PRVKEY": OTHER_KEY})
    for text in (repr(found), str(found), found.describe(), f"{found.prvkey!r} {found.prvkey}"):
        assert KEY not in text
        assert OTHER_KEY not in text
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(found)


@pytest.fixture
def nothing_chosen():
    yield
    settings.use(None)


@pytest.mark.usefixtures("nothing_chosen")
def test_what_was_chosen_comes_before_the_environment(monkeypatch):
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    assert settings.current() == settings.resolve(REAL)
    elsewhere = settings.resolve(REAL, host="other.example")
    settings.use(elsewhere)
    assert settings.current() is elsewhere
    assert AsyncColony().settings is elsewhere
    assert Colony().settings is elsewhere
    assert AsyncColony(settings.resolve()).settings.host == "colony.example"  # who names a place goes there
    settings.use(None)
    assert AsyncColony().settings.host == "colony.example"
