import contextlib
import hashlib
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spamfilter.catalogue import fetch, read_catalogue, verify
from spamfilter.cli import main
from spamfilter.datasets import read_data
from spamfilter.download import download
from spamfilter.errors import ConfigError, DataError, OutputError, UnreadableFile

CSV = (
    b"COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS\n"
    b'a1,Ida,2026-01-01,"Second, louder take please",0\n'
    b"a2,Shop,2026-01-02,subscribe to my channel http://c.example,1\n"
    b"a3,Bo,2026-01-03,,0\n"
    b"a4,Al,2026-01-04,What is this song?,7\n"
)


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


VIDEOS = zipped(**{"Video1.csv": CSV, "__MACOSX/._Video1.csv": b"\0shadow", "readme.txt": b"nothing"})


class Host:
    """A local web server: ``files`` by path, ``cut`` bytes after which the first answer breaks off."""

    def __init__(self):
        self.files, self.asked, self.cut, self.tag, self.status = {}, [], None, '"v1"', None
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                host.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, request):
        self.asked.append(dict(request.headers))
        content = self.files.get(request.path)
        if content is None or self.status:
            request.send_error(self.status or 404)
            return
        begin = 0
        wanted = request.headers.get("Range")
        if wanted and request.headers.get("If-Range") == self.tag:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
        request.send_response(206 if begin else 200)
        if self.tag:
            request.send_header("ETag", self.tag)
        request.send_header("Content-Length", str(len(content) - begin))
        request.end_headers()
        end, self.cut = (self.cut if self.cut else len(content)), None
        with contextlib.suppress(ConnectionError):
            request.wfile.write(content[begin:end])


@pytest.fixture
def host():
    one = Host()
    yield one
    one.server.shutdown()
    one.server.server_close()


def catalogue(tmp_path, host, sha256=None, **changes):
    """A catalogue with one set of two videos' comments, on the local host."""
    host.files.setdefault("/videos.zip", VIDEOS)
    pin = f'sha256 = "{sha256}"' if sha256 else ""
    text = f"""
    format = 1
    [[set]]
    name = "videos"
    title = "Videos"
    about = "Comments written for this test."
    homepage = "{host.url}"
    licence = "CC0"
    citation = "none"
    languages = ["en"]
    spam = 1
    ham = 1
    [[set.file]]
    url = "{host.url}/videos.zip"
    save_as = "videos.zip"
    {pin}
    reader = "csv"
    pattern = "Video*.csv"
    columns = {{ text = "CONTENT", label = "CLASS", author = "AUTHOR", date = "DATE", id = "COMMENT_ID" }}
    labels = {{ "1" = "spam", "0" = "ham" }}
    constants = {{ lang = "en" }}
    [set.file.members]
    "Video1.csv" = {{ site = "video:1", title = "A song" }}
    """
    for old, new in changes.items():
        text = text.replace(old, new)
    path = tmp_path / "catalogue.toml"
    path.write_text(text)
    return path


def sha(content):
    return hashlib.sha256(content).hexdigest()


# ------------------------------------------------------------------------------------------- the catalogue
def test_the_shipped_catalogue_is_honest_about_every_set():
    sets = read_catalogue()
    assert {"youtube-uci", "sms-uci"} <= set(sets)
    for one in sets.values():
        assert one.licence and one.citation and one.homepage.startswith("https://")
        for file in one.files:
            assert file.url.startswith("https://")
            assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32
            assert {"text", "label"} <= {*file.mapping.columns, *file.mapping.constants, "text"}


def test_listing_names_licence_and_whether_it_is_pinned(tmp_path, host, capsys):
    assert main(["datasets", "list", "--catalogue", str(catalogue(tmp_path, host))]) == 0
    said = capsys.readouterr().out
    assert "videos  (not fetched)" in said and "CC0" in said and "not pinned" in said
    assert main(["datasets", "list", "--json"]) == 0
    assert {s["name"] for s in json.loads(capsys.readouterr().out)} == set(read_catalogue())
    assert host.asked == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format = 1": "format = 9"}, "format 9"),
        ({'reader = "csv"': 'reader = "pickle"'}, "reader 'pickle'"),
        ({'save_as = "videos.zip"': 'save_as = "../videos.zip"'}, "not a plain file name"),
        ({'name = "videos"': 'name = "../videos"'}, "letters, digits and hyphens"),
        ({'licence = "CC0"': ""}, "licence"),
        ({"format = 1": "format ="}, "not TOML"),
    ],
)
def test_a_wrong_catalogue_is_refused(tmp_path, host, changes, says):
    with pytest.raises(ConfigError, match=says):
        read_catalogue(catalogue(tmp_path, host, **changes))


# ------------------------------------------------------------------------------------------- fetching
def test_a_fetched_set_is_read_by_training(tmp_path, host, capsys):
    path = catalogue(tmp_path, host, sha(VIDEOS))
    assert main(["datasets", "fetch", "videos", "--catalogue", str(path), "--to", str(tmp_path / "public")]) == 0
    said = capsys.readouterr().out
    assert "1 ham, 1 spam" in said
    assert "left out 1: empty text" in said and "left out 1: label '7'" in said
    data = read_data([tmp_path / "public"])
    assert data.text == ["Second, louder take please", "subscribe to my channel http://c.example"]
    assert (data.label.tolist(), data.title, data.site) == ([0, 1], ["A song"] * 2, ["video:1"] * 2)
    assert (data.author, data.lang, data.id) == (["Ida", "Shop"], ["en", "en"], ["videos:a1", "videos:a2"])
    source = json.loads((tmp_path / "public" / "videos" / "SOURCE.json").read_text())
    assert source["licence"] == "CC0" and source["sha256"]["original/videos.zip"] == sha(VIDEOS)
    assert sorted(p.name for p in (tmp_path / "public").iterdir()) == ["videos"]


def test_what_is_here_is_verified_and_not_fetched_again(tmp_path, host):
    one = read_catalogue(catalogue(tmp_path, host, sha(VIDEOS)))["videos"]
    fetch(one, tmp_path)
    fetch(one, tmp_path)
    assert len(host.asked) == 1
    rows = tmp_path / "videos" / "comments.jsonl"
    rows.write_text(rows.read_text().replace("ham", "spam"))
    with pytest.raises(DataError, match="is not what was fetched"):
        fetch(one, tmp_path)
    fetch(one, tmp_path, force=True)
    assert verify(tmp_path / "videos").rows == {"ham": 1, "spam": 1}


def test_another_file_than_the_pinned_one_is_thrown_away(tmp_path, host, capsys):
    path = catalogue(tmp_path, host, sha(b"another"))
    assert main(["datasets", "fetch", "videos", "--catalogue", str(path), "--to", str(tmp_path / "public")]) == 1
    assert sha(VIDEOS) in capsys.readouterr().err
    assert not (tmp_path / "public" / "videos").exists()
    assert not list((tmp_path / "public").rglob("*.zip*"))


def test_digests_can_be_pinned_on_first_use(tmp_path, host, capsys):
    path, to = catalogue(tmp_path, host), str(tmp_path / "public")
    assert main(["datasets", "fetch", "videos", "--catalogue", str(path), "--to", to]) == 0
    said = capsys.readouterr().out
    assert sha(VIDEOS) in said and "nobody has vouched" in said
    assert not (tmp_path / "public" / "pins.json").exists()
    assert main(["datasets", "fetch", "videos", "--catalogue", str(path), "--to", to, "--pin", "--force"]) == 0
    host.files["/videos.zip"] = zipped(**{"Video1.csv": CSV + b"a5,Al,2026-01-04,Wow,0\n"})
    assert main(["datasets", "fetch", "videos", "--catalogue", str(path), "--to", to, "--force"]) == 1
    assert "is not the one expected" in capsys.readouterr().err
    assert verify(tmp_path / "public" / "videos").rows["ham"] == 1


def test_a_broken_download_goes_on_where_it_broke_off(tmp_path, host):
    content = bytes(range(256)) * 2000
    host.files["/big"], host.cut = content, 300_000
    seen = []
    digest = download(
        host.url + "/big", tmp_path / "big", sha(content), lambda done, total: seen.append((done, total)), 0
    )
    assert digest == sha(content) and (tmp_path / "big").read_bytes() == content
    assert host.asked[1]["Range"].startswith("bytes=") and host.asked[1]["Range"] != "bytes=0-"
    assert seen[-1] == (len(content), len(content))
    assert [p.name for p in tmp_path.iterdir()] == ["big"]


@pytest.mark.parametrize("tag", [None, 'W/"weak"', '"v2"'])
def test_a_file_that_may_have_changed_is_fetched_from_the_start(tmp_path, host, tag):
    host.files["/big"] = b"new" * 1000
    (tmp_path / "big.part").write_bytes(b"old" * 100)
    (tmp_path / "big.part.tag").write_text('"v1"')
    host.tag = tag
    download(host.url + "/big", tmp_path / "big", rest=0)
    assert (tmp_path / "big").read_bytes() == b"new" * 1000


def test_what_came_is_kept_when_the_host_goes_away(tmp_path, host):
    one = read_catalogue(catalogue(tmp_path, host, sha(VIDEOS)))["videos"]
    host.status = 404
    with pytest.raises(UnreadableFile, match="HTTP 404"):
        fetch(one, tmp_path / "public")
    assert len(host.asked) == 1
    assert not (tmp_path / "public" / "videos").exists()
    host.status = None
    assert fetch(one, tmp_path / "public").rows.total() == 2


def test_only_the_web_is_fetched_from(tmp_path):
    with pytest.raises(DataError, match="only http"):
        download("file:///etc/hostname", tmp_path / "x")


def test_an_unreachable_host_is_one_clear_line(tmp_path, host):
    url, _ = host.url, host.server.server_close()
    host.server.shutdown()
    with pytest.raises(UnreadableFile, match="cannot be fetched"):
        download(url + "/x", tmp_path / "x", rest=0)


def test_a_folder_that_cannot_be_written(tmp_path, host):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--to"):
        fetch(read_catalogue(catalogue(tmp_path, host))["videos"], tmp_path / "file")


def test_an_unknown_name_is_answered_with_the_nearest(capsys):
    assert main(["datasets", "fetch", "youtube-ucl"]) == 2
    assert "is 'youtube-uci' meant?" in capsys.readouterr().err


def test_the_other_sets_are_fetched_all_the_same(tmp_path, host, capsys):
    path = catalogue(tmp_path, host)
    text = path.read_text()
    path.write_text(
        text + text.replace("format = 1", "").replace('"videos"', '"gone"').replace("/videos.zip", "/gone.zip")
    )
    assert (
        main(["datasets", "fetch", "gone", "videos", "--catalogue", str(path), "--to", str(tmp_path / "public")]) == 1
    )
    assert "gone: " in capsys.readouterr().err
    assert (tmp_path / "public" / "videos").is_dir()


# ------------------------------------------------------------------------------------------- other kinds of file
def spreadsheet(rows):
    """A workbook as spreadsheet programs write it: shared strings, numbers as they are, empty cells left out."""
    names = [v for row in rows for v in row if isinstance(v, str)]
    shared = "".join(f"<si><t xml:space='preserve'>{v}</t></si>" for v in names)
    lines, k = [], 0
    for n, row in enumerate(rows, 1):
        cells = ""
        for column, v in zip("ABCD", row, strict=False):
            if isinstance(v, str):
                cells += f'<c r="{column}{n}" t="s"><v>{k}</v></c>'
                k += 1
            elif v is not None:
                cells += f'<c r="{column}{n}"><v>{v}</v></c>'
        lines.append(f'<row r="{n}">{cells}</row>')
    ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return zipped(
        **{
            "xl/sharedStrings.xml": f"<sst {ns}>{shared}</sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {ns}><sheetData>{''.join(lines)}</sheetData></worksheet>",
        }
    )


COLUMNS = 'columns = { text = "CONTENT", label = "CLASS", author = "AUTHOR", date = "DATE", id = "COMMENT_ID" }'
CHAT = {
    'reader = "csv"': 'reader = "lines"',
    'constants = { lang = "en" }': 'constants = { label = "ham" }',
    COLUMNS: "",
}
SMS = {
    'reader = "csv"': 'reader = "tsv"\n    header = ["label", "text"]',
    'labels = { "1" = "spam", "0" = "ham" }': 'labels = { spam = "spam", ham = "ham" }',
    COLUMNS: 'columns = { text = "text", label = "label" }',
}
SHEET = {
    'reader = "csv"': 'reader = "xlsx"',
    '"Video*.csv"': '"*Raw/rows.xlsx"',
    COLUMNS: 'columns = { text = "comment", label = "spam", article = "posting" }',
}
CELLS = [
    ("comment", "posting", "spam"),
    ("Cantik &amp; baik", "Foto hari ini", 0),
    ("slot gacor_x000A_klik", "Foto hari ini", 1.0),
    ("only this", None, None),
]


@pytest.mark.parametrize(
    ("changes", "content", "texts"),
    [
        (CHAT, b"Is the tram late?\r\n\nYes, again.\n", ["Is the tram late?", "Yes, again."]),
        (SMS, zipped(**{"VideoX.csv": 'ham\tSay "hi" to her\nspam\tWIN "now\n'}), ['Say "hi" to her', 'WIN "now']),
        (
            SHEET,
            zipped(**{"S/Raw/rows.xlsx": spreadsheet(CELLS)}),
            ["Cantik & baik", "slot gacor\nklik"],
        ),
    ],
    ids=["lines", "tsv", "xlsx"],
)  # fmt: skip
def test_readers(tmp_path, host, changes, content, texts):
    host.files["/videos.zip"] = content
    one = read_catalogue(catalogue(tmp_path, host, **changes))["videos"]
    fetched = fetch(one, tmp_path / "public")
    data = read_data([fetched.folder])
    assert data.text == texts
    if changes is SHEET:
        assert data.article == ["Foto hari ini"] * 2
        assert fetched.left_out == {"label None": 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(**{"Other.csv": CSV}), "no member"),
        (zipped(**{"Video1.csv": b"a,b\n1,2\n"}), "no column 'CONTENT'"),
        (zipped(**{"Video1.csv": b"COMMENT_ID,CONTENT,CLASS\n1,\xff\xfe,0\n"}), "cannot be read as csv"),
        (zipped(**{"Video1.csv": b"COMMENT_ID,CONTENT,CLASS\n1,x,9\n"}), "no row of it can be used"),
        (b"<html>please log in</html>\n<p>\n", "no column"),
    ],
)
def test_a_set_that_has_changed_leaves_nothing_behind(tmp_path, host, content, says):
    host.files["/videos.zip"] = content
    with pytest.raises((DataError, UnreadableFile), match=says):
        fetch(read_catalogue(catalogue(tmp_path, host))["videos"], tmp_path / "public")
    assert not (tmp_path / "public" / "videos").exists()


def test_a_spreadsheet_with_entities_is_refused(tmp_path, host):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
    host.files["/videos.zip"] = zipped(**{"S/Raw/rows.xlsx": zipped(**{"xl/worksheets/sheet1.xml": bomb})})
    with pytest.raises(UnreadableFile, match="entities"):
        fetch(read_catalogue(catalogue(tmp_path, host, **SHEET))["videos"], tmp_path / "public")
