"""Who may ask what: hosts, origins, tokens, paths; and what every answer tells a browser."""

from __future__ import annotations

import http.client
import inspect
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from organizer.client import Client, ServiceError
from organizer.errors import SettingsError
from organizer.library import Library
from organizer.service import ServiceOptions
from organizer.service import security as security_module
from organizer.service.security import is_token
from tests.service.servers import running

TOKEN = "a-token-of-some-length"  # noqa: S105 - of these tests alone
BEARER = {"Authorization": f"Bearer {TOKEN}"}
API = "/api/v1"


@pytest.fixture(scope="module")
def guarded(field_library: Library) -> Iterator[str]:
    """Where the library of `field` is served with a token."""
    with running(field_library, ServiceOptions(token=TOKEN)) as url:
        yield url


def raw(url: str, target: str, *, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """A request whose target nobody tidies."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.putrequest(method, target, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


# Paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image_id",
    [
        "..",
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c..%5cwindows",
        "%2fetc%2fpasswd",
        "0" * 31,
        "0" * 33,
        "A" * 32,
        "g" * 32,
        "0" * 31 + "%0a",
        "0" * 32 + "%00.jpg",
        "%00",
    ],
)
@pytest.mark.parametrize("rest", ["", "/original", "/thumbnail/96", "/neighbours"])
def test_an_id_is_never_a_path(field_url: str, image_id: str, rest: str) -> None:
    status, body = raw(field_url, f"{API}/images/{image_id}{rest}")
    assert status in {404, 422}
    assert b"root:" not in body


@pytest.mark.parametrize(
    "target",
    [
        "/../app.py",
        "/../../pyproject.toml",
        "/..%2fapp.py",
        "/%2e%2e/app.py",
        "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "//etc/passwd",
        "/..%5capp.py",
        "/%00",
        "/app.js%00.txt",
        "/~root",
        "/" + "a" * 3_000,
    ],
)
def test_the_gallery_gives_its_own_files_only(field_url: str, target: str) -> None:
    status, body = raw(field_url, target)
    assert status in {400, 404}, body
    assert b"make_app" not in body
    assert b"root:" not in body


def test_a_job_id_is_never_a_path(field_url: str) -> None:
    for job in ("..", "..%2f..%2fetc", "%00", "x" * 500):
        for rest in ("", "/download"):
            assert raw(field_url, f"{API}/jobs/{job}{rest}")[0] in {404, 422}


# Hosts and origins --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "10.0.0.1",
        "",
    ],
)
def test_a_name_of_somebody_elses_is_refused(field_url: str, host: str) -> None:
    for target in ("/", f"{API}/clusters", f"{API}/health"):
        status, body = raw(field_url, target, Host=host)
        assert status in {400, 403}, "DNS rebinding"
        assert b"clusters" not in body or b"forbidden" in body


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:80", "localhost."]
)
def test_a_name_of_this_machine_is_taken(field_url: str, host: str) -> None:
    assert raw(field_url, f"{API}/health", Host=host)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "{own}", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/decisions", "/undo", "/search", "/session", "/search/picture"])
def test_another_site_may_not_write(field_url: str, headers: dict[str, str], path: str) -> None:
    sent = {name: value.format(own=field_url) for name, value in headers.items()}
    answer = httpx.post(f"{field_url}{API}{path}", headers={**sent, "If-Match": "*"}, json={})
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/forbidden"
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_gallery_itself_may_write(url: str) -> None:
    answer = httpx.post(
        f"{url}{API}/decisions",
        headers={"Origin": url, "Sec-Fetch-Site": "same-origin", "If-Match": "*"},
        json={"decisions": [{"kind": "pin", "cluster": 1}]},
    )
    assert answer.status_code == 200


def test_no_site_is_allowed_to_read_across_origins(field_url: str) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS"):
        answer = httpx.request(method, f"{field_url}{API}/clusters", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_is_no_json(url: str, kind: str) -> None:
    body = '{"decisions": [{"kind": "pin", "cluster": 1}]}'
    headers = {"Content-Type": kind, "If-Match": "*"}
    answer = httpx.post(f"{url}{API}/decisions", content=body, headers=headers)
    assert answer.status_code in {415, 422}
    with Client(url) as client:
        assert client.status().revision == 1


# Tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/status", "/clusters", "/images", "/events", "/openapi.json", "/nonsense", "/jobs"]
)
def test_without_the_token_nothing_is_told(guarded: str, path: str) -> None:
    answer = httpx.get(f"{guarded}{API}{path}")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "/problems/unauthorized"


@pytest.mark.parametrize(
    "given",
    [
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer ä",
        f"Bearer {TOKEN} {TOKEN}",
    ],
)
def test_a_wrong_token_is_none(guarded: str, given: str) -> None:
    headers = [(b"Authorization", given.encode())]
    assert httpx.get(f"{guarded}{API}/status", headers=headers).status_code == 401


def test_the_token_opens_everything(guarded: str) -> None:
    with Client(guarded, token=TOKEN) as client:
        assert client.status().images == 41
    assert httpx.get(f"{guarded}{API}/status", headers={"Authorization": f"bearer  {TOKEN}"})
    with Client(guarded, token=TOKEN[:-1]) as client, pytest.raises(ServiceError) as raised:
        client.status()
    assert (raised.value.status, raised.value.kind) == (401, "unauthorized")


def test_health_and_the_page_need_no_token(guarded: str) -> None:
    assert httpx.get(f"{guarded}{API}/health").json() == {"status": "ok"}
    assert httpx.get(guarded).status_code == 200


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "organizer_session"])
def test_a_token_in_an_address_is_none(guarded: str, name: str) -> None:
    for value in (TOKEN, f"Bearer {TOKEN}"):
        answer = httpx.get(f"{guarded}{API}/status", params={name: value})
        assert answer.status_code == 401
    netloc = urlsplit(guarded).netloc
    assert httpx.get(f"http://user:{TOKEN}@{netloc}{API}/status").status_code == 401


def test_tokens_are_compared_in_constant_time() -> None:
    assert "compare_digest" in inspect.getsource(is_token)
    source = inspect.getsource(security_module)
    assert "== self._options.token" not in source
    assert (is_token("x", "x"), is_token("ä", "x"), is_token("", "x")) == (True, False, False)


def test_the_cookie_of_a_browser(guarded: str) -> None:
    with httpx.Client(base_url=guarded + API) as browser:
        answer = browser.post("/session", json={"token": TOKEN})
        assert (answer.status_code, answer.content) == (204, b"")
        (cookie,) = answer.headers.get_list("set-cookie")
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"httponly", "samesite=strict", "path=/"} <= parts
        assert "secure" not in parts, "it would not come back over http"
        assert not [part for part in parts if part.startswith("domain")]
        assert TOKEN not in cookie
        assert browser.get("/status").status_code == 200
        image = browser.get("/images", params={"limit": 1}).json()["items"][0]["id"]
        assert browser.get(f"/images/{image}/thumbnail/96").status_code == 200
        copy = dict(browser.cookies)
        assert browser.delete("/session").status_code == 204
        assert browser.get("/status").status_code == 401
        assert httpx.get(f"{guarded}{API}/status", cookies=copy).status_code == 401, (
            "ended here too"
        )


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", "\ud800", "\0", "ä" * 900])
def test_a_session_needs_the_token(guarded: str, token: str) -> None:
    body = f'{{"token": {ascii_json(token)}}}'
    answer = httpx.post(
        f"{guarded}{API}/session", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {401, 422}
    assert "set-cookie" not in answer.headers


def ascii_json(text: str) -> str:
    import json

    return json.dumps(text)


@pytest.mark.parametrize("cookie", ["x", "", '"; DROP', "a" * 4_000, "=;=;="])
def test_a_cookie_of_ones_own_is_none(guarded: str, cookie: str) -> None:
    headers = {"Cookie": f"organizer_session={cookie}"}
    assert httpx.get(f"{guarded}{API}/status", headers=headers).status_code == 401


def test_a_session_of_a_service_without_a_token_is_none(field_url: str) -> None:
    answer = httpx.post(f"{field_url}{API}/session", json={"token": ""})
    assert answer.status_code == 401


EVERYWHERE = ["0.0.0.0", "::", "192.168.1.4", "photos.example"]  # noqa: S104 - nothing listens


@pytest.mark.parametrize("host", EVERYWHERE)
def test_other_machines_need_a_token(host: str) -> None:
    with pytest.raises(SettingsError, match="no token"):
        ServiceOptions.for_host(host, token=None)
    with pytest.raises(SettingsError, match="5 characters"):
        ServiceOptions.for_host(host, token=TOKEN[:5])
    assert ServiceOptions.for_host(host, token=TOKEN).token == TOKEN


# Headers ------------------------------------------------------------------------------------

STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def assert_strict(answer: httpx.Response) -> None:
    for name, value in STRICT.items():
        assert answer.headers.get(name) == value, (answer.status_code, name)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "cache-control" in answer.headers
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers


def test_every_kind_of_answer_is_strict(guarded: str) -> None:
    late = httpx.get(f"{guarded}{API}/images", params={"limit": 1}, headers=BEARER).json()
    image = f"{API}/images/{late['items'][0]['id']}"
    wanted = {
        "/": (200, {}),
        "/nonsense.js": (404, {}),
        f"{API}/status": (200, BEARER),
        f"{API}/jobs": (401, {}),
        f"{API}/nonsense": (404, BEARER),
        f"{API}/images?limit=0": (422, BEARER),
        f"{image}/thumbnail/96": (200, BEARER),
        f"{image}/thumbnail/97": (404, BEARER),
        f"{image}/original": (200, BEARER),
        f"{API}/openapi.json": (200, BEARER),
        f"{API}/decisions": (405, BEARER),
    }
    for target, (status, headers) in wanted.items():
        answer = httpx.get(guarded + target, headers=headers)
        assert (target, answer.status_code) == (target, status)
        assert_strict(answer)
    part = httpx.get(f"{guarded}{image}/original", headers={**BEARER, "Range": "bytes=0-1"})
    assert part.status_code == 206
    assert_strict(part)
    unchanged = httpx.get(f"{guarded}{image}/original", headers={**BEARER, "If-None-Match": "*"})
    assert unchanged.status_code == 304
    assert_strict(unchanged)
    large = httpx.post(f"{guarded}{API}/undo", content=b"x" * (9 * 1024**2), headers=BEARER)
    assert large.status_code in {413, 428}
    assert_strict(large)
    with httpx.stream("GET", f"{guarded}{API}/events", headers=BEARER) as stream:
        assert stream.status_code == 200
        assert_strict(stream)
    foreign = httpx.post(f"{guarded}{API}/undo", headers={**BEARER, "Origin": "null"})
    assert foreign.status_code == 403
    assert_strict(foreign)


def test_a_bug_tells_nothing_and_is_strict(
    field_library: Library, field_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of /home/jane")

    monkeypatch.setattr(field_library.clusters, "profiles", broken)
    answer = httpx.get(f"{field_url}{API}/clusters")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/bug"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert_strict(answer)


def test_what_the_api_says_is_never_kept_by_a_cache(field_url: str) -> None:
    for path in ("/status", "/clusters", "/images", "/images/columns", "/history"):
        assert httpx.get(f"{field_url}{API}{path}").headers["cache-control"] == "no-store", path


def test_large_answers_are_packed_and_small_ones_are_not(field_url: str) -> None:
    large = httpx.get(f"{field_url}{API}/images", headers={"Accept-Encoding": "gzip"})
    assert large.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in large.headers["vary"]
    plain = httpx.get(f"{field_url}{API}/images", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == large.json()
    small = httpx.get(f"{field_url}{API}/health", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers
