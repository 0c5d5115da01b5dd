"""Imports: every status and every row is accounted for, bad files change nothing, hostile ones are refused."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamfilter.errors import DataError, SpamFilterError, UnreadableFile
from spamfilter.labels import Context, Decision, LabelStore
from spamfilter.labels.importing import ImportOptions, import_labels, kind_of_export
from spamfilter.labels.sqldump import DumpRow, dump_rows
from spamfilter.labels.tabular import EXPORT_COLUMNS, export_row
from spamfilter.records import Comment


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(tmp_path / "labels.db") as opened:
        yield opened


def labels(store: LabelStore) -> dict[str, str]:
    return {row.comment.text: row.label for row in store.current()}


def accounted(report: Any) -> bool:
    known = report.spam + report.ham + report.queued + report.repeated + sum(report.skipped.values())
    return bool(report.read == known)


# --- tables

CSV = """\
text,label,author,site,permalink,email
Which flour did you use?,ham,Kim,blog.example,https://blog.example/rye,kim@kim.example
Cheap watches here,spam,W,blog.example,https://blog.example/rye,w@w.example
Is this one fine?,pending,Lee,blog.example,https://blog.example/rye,
Thrown away,trash,Mo,blog.example,https://blog.example/rye,
,spam,Empty,blog.example,https://blog.example/rye,
What is this,maybe,No,blog.example,https://blog.example/rye,
"""


def test_a_csv_with_every_status(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text(CSV)
    report = import_labels(store, path, ImportOptions(who="ana"))
    assert (report.read, report.ham, report.spam, report.queued) == (6, 1, 1, 1)
    assert [*report.skipped.values()] == [1, 1, 1] and accounted(report)
    assert any("maybe" in reason for reason in report.skipped)
    assert report.examples["empty text"] == ["row 5"]
    assert [i.comment.text for i in store.queue.pending()] == ["Is this one fine?"]
    assert {row.who for row in store.current()} == {"ana"}
    assert b"kim@kim.example" not in store.path.read_bytes() + store.path.with_name("labels.db-wal").read_bytes()
    again = import_labels(store, path, ImportOptions(who="ana"))
    assert (again.ham, again.spam, again.repeated, again.queued) == (0, 0, 2, 1)
    assert store.stats().decisions == 2 and store.queue.count() == 1


@pytest.mark.parametrize(("trash", "label"), [("spam", "spam"), ("ham", "ham")])
def test_trash_is_a_label_only_if_asked(store: LabelStore, tmp_path: Path, trash: Any, label: str) -> None:
    path = tmp_path / "old.csv"
    path.write_text(CSV)
    import_labels(store, path, ImportOptions(trash=trash, queue=False))
    assert labels(store)["Thrown away"] == label
    assert store.queue.count() == 0


def test_an_unknown_column_names_the_nearest_and_changes_nothing(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    rows = [{"text": f"comment {i}", "label": "spam"} for i in range(700)] + [
        {"text": "x", "label": "ham", "athor": "y"}
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(
        DataError, match=r"row 701: unknown column 'athor'; the nearest known is 'author'.*--ignore athor"
    ):
        import_labels(store, path)
    assert store.stats().comments == 0
    report = import_labels(store, path, ImportOptions(rename={"athor": "author"}))
    assert report.spam == 700 and report.ham == 1
    assert [*store.current()][-1].comment.author == "y"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("comment,label", "--column comment=text"),
        ("text,is_spam", "--column is_spam=label"),
        ("text,colour", "add a column 'label'"),
    ],
)
def test_a_missing_column_is_told_with_what_may_be_it(
    store: LabelStore, tmp_path: Path, header: str, message: str
) -> None:
    path = tmp_path / "old.csv"
    path.write_text(f"{header}\na,spam\n")
    with pytest.raises(DataError, match=message):
        import_labels(store, path)


def test_a_damaged_row_is_counted_and_the_rest_comes_in(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl.gz"
    path.write_bytes(
        gzip.compress(b'{"text": "one", "label": "spam"}\n{"text": "tw\n{"text": "three", "label": "ham"}\n')
    )
    report = import_labels(store, path)
    assert (report.spam, report.ham, report.damaged) == (1, 1, 1) and accounted(report)


def test_a_table_of_which_nothing_can_be_used_is_an_error(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("text,label\na,1\nb,0\n")
    with pytest.raises(DataError, match=r"none of its 2 rows can be used.*'1' is none of spam, ham"):
        import_labels(store, path)


def test_a_decision_made_here_wins_unless_told_otherwise(store: LabelStore, tmp_path: Path) -> None:
    store.add(
        Decision(
            Comment("Cheap watches here", "W"), "ham", "ben", "page", Context(permalink="https://blog.example/rye")
        )
    )
    path = tmp_path / "old.csv"
    path.write_text(CSV)
    report = import_labels(store, path)
    assert labels(store)["Cheap watches here"] == "ham"
    assert any("decided otherwise" in reason for reason in report.skipped) and accounted(report)
    import_labels(store, path, ImportOptions(override=True))
    assert labels(store)["Cheap watches here"] == "spam"


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "jsonl.gz"])
def test_an_export_comes_back_the_same(store: LabelStore, tmp_path: Path, suffix: str) -> None:
    from spamfilter.files.formats import Format
    from spamfilter.records import Verdict

    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    under = Context('Rye, "bread"\nand more', "Long\narticle", "https://blog.example/rye", None, "en")
    seen = Verdict("unsure", 0.5, (), "m")
    store.add(
        Decision(
            Comment('a, "b"\nc', "Kim", "http://k.example", "2026-01-01", "7"),
            "ham",
            "ana",
            "page",
            under,
            seen,
            "blind",
        )
    )
    store.add(Decision(Comment("Plain"), "spam", "ben"))
    before = [export_row(row) for row in store.current()]
    format = Format.of(f"x.{suffix}", EXPORT_COLUMNS)
    path = tmp_path / f"labels.{suffix}"
    with format.shard(path, first=True) as shard:
        shard.write(format.encode(before))
    with LabelStore.open(tmp_path / "other.db") as other:
        assert import_labels(other, path).read == 2
        assert [export_row(row) for row in other.current()] == before
    assert import_labels(store, path).repeated == 2


# --- WordPress's export

WXR = """<?xml version="1.0" encoding="UTF-8" ?>
<!-- made by hand for this test -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Crumbs</title><link>https://crumbs.example</link><language>de-DE</language>
<wp:base_blog_url>https://crumbs.example</wp:base_blog_url>
<item><title>Rye &amp; water</title><link>https://crumbs.example/rye</link>
<content:encoded><![CDATA[<!-- wp:paragraph -->
First paragraph of <em>the</em> post.

Second paragraph.]]></content:encoded><excerpt:encoded><![CDATA[short]]></excerpt:encoded>
<wp:post_id>5</wp:post_id>
{comments}
</item></channel></rss>
"""


def wp_comment(number: int, text: str, approved: str, kind: str = "comment", meta: str = "") -> str:
    return (
        f"<wp:comment><wp:comment_id>{number}</wp:comment_id>"
        f"<wp:comment_author><![CDATA[Kim {number}]]></wp:comment_author>"
        f"<wp:comment_author_email>kim{number}@kim.example</wp:comment_author_email><wp:comment_author_url>http://kim.example"
        f"</wp:comment_author_url><wp:comment_author_IP>192.0.2.7</wp:comment_author_IP>"
        f"<wp:comment_date>2026-01-02 03:04:05</wp:comment_date>"
        f"<wp:comment_date_gmt>2026-01-02 02:04:05</wp:comment_date_gmt>"
        f"<wp:comment_content><![CDATA[{text}]]></wp:comment_content><wp:comment_approved>{approved}</wp:comment_approved>"
        f"<wp:comment_type>{kind}</wp:comment_type>{meta}</wp:comment>"
    )


def note(key: str, value: str) -> str:
    pair = f"<wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value>"
    return f"<wp:commentmeta>{pair}</wp:commentmeta>"


def wxr(tmp_path: Path, *comments: str, name: str = "blog.xml") -> Path:
    path = tmp_path / name
    path.write_text(WXR.format(comments="\n".join(comments)), encoding="utf-8")
    return path


def test_wordpress_export_with_every_status(store: LabelStore, tmp_path: Path) -> None:
    path = wxr(
        tmp_path,
        wp_comment(1, "Which flour?", "1"),
        wp_comment(2, "Buy pills", "spam"),
        wp_comment(3, "Waiting", "0"),
        wp_comment(4, "Gone", "trash"),
        wp_comment(5, "With its post", "post-trashed"),
        wp_comment(6, "[…] link […]", "1", "pingback"),
        wp_comment(7, "paid", "1", "order_note"),
        wp_comment(8, "odd", "future"),
        wp_comment(9, "control \x0b character", "1"),
    )
    assert kind_of_export(str(path)) == "wxr"
    report = import_labels(store, path)
    assert (report.read, report.ham, report.spam, report.queued) == (9, 3, 1, 1) and accounted(report)
    assert labels(store) == {
        "Which flour?": "ham",
        "Buy pills": "spam",
        "[…] link […]": "ham",
        "control  character": "ham",
    }
    row = next(store.current())
    assert (
        row.context.title == "Rye & water" and row.context.article == "First paragraph of the post.\nSecond paragraph."
    )
    assert (row.context.site, row.context.lang, row.context.permalink) == (
        "crumbs.example",
        "de",
        "https://crumbs.example/rye",
    )
    assert (row.comment.date, row.comment.id, row.source) == ("2026-01-02T02:04:05+00:00", "1", "import:wxr")
    assert "comment 7 (line " in report.examples["not a reader's comment (type 'order_note')"][0]
    assert [r.comment.kind for r in store.current()][2] == "pingback"


def test_who_decided_is_told_from_akismets_notes(store: LabelStore, tmp_path: Path) -> None:
    corrected = note("akismet_result", "true") + note("akismet_user_result", "false") + note("akismet_user", "ben")
    path = wxr(
        tmp_path,
        wp_comment(1, "nobody looked", "spam", meta=note("akismet_result", "true")),
        wp_comment(2, "a person corrected it", "1", meta=corrected),
        wp_comment(3, "a person overruled it unseen", "1", meta=note("akismet_result", "true")),
    )
    import_labels(store, path, ImportOptions(who="team"))
    assert [(r.who, r.look) for r in store.current()] == [("akismet", "automatic"), ("ben", "shown"), ("team", None)]


def test_an_export_without_spam_says_where_the_spam_is(store: LabelStore, tmp_path: Path) -> None:
    report = import_labels(store, wxr(tmp_path, wp_comment(1, "Which flour?", "1")))
    assert "WordPress leaves spam out" in report.lines()[-1]


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">{more}]>
<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><item><title>&z;</title></item></channel></rss>"""
ENTITIES = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghiz", strict=True))
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY z SYSTEM "{path}">]><disqus xmlns="http://disqus.com"><post>&z;</post></disqus>'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("laughs", BOMB.replace("{more}", ENTITIES), "document type definition"),
        ("outside file", OUTSIDE, "document type definition"),
        ("cut short", WXR[: WXR.index("{comments}")] + wp_comment(1, "in", "1"), "not whole XML.*nothing was imported"),
        ("nested", "<disqus xmlns='http://disqus.com'>" + "<post>" * 5_000, "inside each other"),
        ("no xml", "wordpress.org/export/ dear diary", "not whole XML"),
        ("empty", "", "neither its name nor its beginning"),
        ("other xml", "<html><body/></html>", "neither its name nor its beginning"),
    ],
)
def test_hostile_and_broken_xml_changes_nothing(
    store: LabelStore, tmp_path: Path, name: str, content: str, message: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    path = tmp_path / "in.xml"
    path.write_text(content.replace("{path}", str(secret)))
    begun = time.monotonic()
    with pytest.raises((UnreadableFile, DataError), match=message) as caught:
        import_labels(store, path)
    assert "in.xml" in str(caught.value) and time.monotonic() - begun < 5
    assert store.stats().comments == store.stats().decisions == 0


def test_a_huge_element_is_refused_before_it_fills_the_memory(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "in.xml.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"<disqus xmlns='http://disqus.com'><post><message>")
        for _ in range(60):
            file.write(b"spam " * 200_000)
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="20,000,000 characters"):
        import_labels(store, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000


def test_a_truncated_gzip_changes_nothing(store: LabelStore, tmp_path: Path) -> None:
    whole = gzip.compress(wxr(tmp_path, *(wp_comment(i, f"comment {i}", "1") for i in range(300))).read_bytes())
    path = tmp_path / "blog.xml.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFile, match="ends too early"):
        import_labels(store, path)
    assert store.stats().comments == 0


def test_a_large_export_is_read_in_little_memory(tmp_path: Path) -> None:
    from spamfilter.labels.wxr import read_wxr

    path = wxr(tmp_path, *(wp_comment(i, f"comment {i} " * 50, "1") for i in range(5_000)))
    tracemalloc.start()
    assert sum(1 for _ in read_wxr(str(path))) == 5_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 5_000_000 and peak < 2_500_000


# --- the comments table

DUMP = r"""-- MariaDB dump 10.19  Distrib 10.11.6
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `wp_commentmeta`;
CREATE TABLE `wp_commentmeta` (`meta_id` bigint(20) NOT NULL AUTO_INCREMENT, `comment_id` bigint(20), `meta_key` varchar(255), `meta_value` longtext, PRIMARY KEY (`meta_id`), KEY `comment_id` (`comment_id`));
INSERT INTO `wp_commentmeta` VALUES (1,2,'akismet_result','true'),(2,1,'akismet_history','a:1:{s:4:\"time\";d:1.5;}');
CREATE TABLE IF NOT EXISTS `wp_comments` (
  `comment_ID` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `comment_post_ID` bigint(20) unsigned NOT NULL DEFAULT 0,
  `comment_author` tinytext NOT NULL,
  `comment_author_email` varchar(100) NOT NULL DEFAULT '',
  `comment_author_url` varchar(200) NOT NULL DEFAULT '',
  `comment_author_IP` varchar(100) NOT NULL DEFAULT '',
  `comment_date` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  `comment_date_gmt` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  `comment_content` text NOT NULL,
  `comment_karma` int(11) NOT NULL DEFAULT 0,
  `comment_approved` varchar(20) NOT NULL DEFAULT '1',
  `comment_agent` varchar(255) NOT NULL DEFAULT '',
  `comment_type` varchar(20) NOT NULL DEFAULT 'comment',
  `comment_parent` bigint(20) unsigned NOT NULL DEFAULT 0,
  `user_id` bigint(20) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY (`comment_ID`),
  KEY `comment_post_ID` (`comment_post_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COMMENT='it''s; a (table)';
LOCK TABLES `wp_comments` WRITE;
/*!40000 ALTER TABLE `wp_comments` DISABLE KEYS */;
INSERT INTO `wp_comments` VALUES (1,7,'Kim O\'Neil','kim@kim.example','','192.0.2.7','2026-01-02 03:04:05','2026-01-02 02:04:05','It\'s good;\r\nI\'ll (really) try\\bake \"it\", x = \'y\'; -- not a remark',0,'1','Agent (x; y)','comment',0,0),(2,7,'Win','w@w.example','http://w.example','192.0.2.8','2026-01-02 03:04:05','0000-00-00 00:00:00','Buy it''s cheap',0,'spam','','',0,0);
INSERT INTO `wp_comments` (`comment_ID`, `comment_post_ID`, `comment_content`, `comment_approved`, `comment_author`) VALUES
(3, 7, _binary 'waiting', 0, NULL),
(4, 99, 0x47c3a46e7365, 'trash', 'Hex'); # the end
UNLOCK TABLES;
CREATE TABLE `wp_options` (`option_id` bigint, `option_name` varchar(191), `option_value` longtext, `autoload` varchar(20));
INSERT INTO `wp_options` VALUES (1,'home','https://crumbs.example','yes'),(2,'sql','INSERT INTO `wp_comments` VALUES (9);','no');
CREATE TABLE `wp_posts` (`ID` bigint, `post_title` text, `post_content` longtext, `post_type` varchar(20), `guid` varchar(255));
INSERT INTO `wp_posts` VALUES (7,'Rye','<p>About rye.</p>','post','https://crumbs.example/?p=7'),(8,'Rye','old','revision','x');
"""


def test_a_dump_of_the_comments_table(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "blog.sql.gz"
    path.write_bytes(gzip.compress(DUMP.encode()))
    report = import_labels(store, path, ImportOptions(trash="ham"))
    assert (report.read, report.ham, report.spam, report.queued) == (4, 2, 1, 1) and accounted(report)
    first, second, third = store.current()
    assert first.comment.text == "It's good;\r\nI'll (really) try\\bake \"it\", x = 'y'; -- not a remark"
    assert (first.comment.author, first.comment.date) == ("Kim O'Neil", "2026-01-02T02:04:05+00:00")
    assert (first.context.title, first.context.article, first.context.site) == ("Rye", "About rye.", "crumbs.example")
    assert (second.comment.text, second.who, second.look) == ("Buy it's cheap", "akismet", "automatic")
    assert second.comment.date == "2026-01-02 03:04:05"
    assert (third.comment.text, third.context.permalink) == ("Gänse", "https://crumbs.example/?p=99")
    assert [i.comment.text for i in store.queue.pending()] == ["waiting"]


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("It\\'s good", "never closed"),
        ("VALUES (1,7,", "middle of the rows"),
        ("/*!40101 SET", "no rows of a WordPress comments"),
    ],
)
def test_a_dump_that_was_cut_short_changes_nothing(store: LabelStore, tmp_path: Path, cut: str, message: str) -> None:
    path = tmp_path / "blog.sql"
    path.write_text(DUMP[: DUMP.index(cut) + len(cut)])
    with pytest.raises((UnreadableFile, DataError), match=message):
        import_labels(store, path)
    assert store.stats().comments == 0


def test_a_dump_without_column_names_says_how_to_make_one(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "blog.sql"
    path.write_text("INSERT INTO wp_comments VALUES (1, 'x');")
    with pytest.raises(UnreadableFile, match="--complete-insert"):
        import_labels(store, path)


def test_a_row_with_values_missing_is_counted(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "blog.sql"
    path.write_text(
        "INSERT INTO x_comments (comment_content, comment_approved) VALUES ('one', '1'), ('two'), ('three', 'spam');"
    )
    report = import_labels(store, path)
    assert (report.ham, report.spam, report.damaged) == (1, 1, 1) and accounted(report)


def test_a_latin1_dump_is_read_as_text(store: LabelStore, tmp_path: Path) -> None:
    path = tmp_path / "blog.sql"
    path.write_bytes(
        "INSERT INTO x_comments (comment_content, comment_approved) VALUES ('schöne Grüße', '1');".encode("cp1252")
    )
    import_labels(store, path)
    assert labels(store) == {"schöne Grüße": "ham"}


def _quoted(value: str) -> str:
    escapes = {"\\": "\\\\", "'": "\\'", "\0": "\\0", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z"}
    return "'" + "".join(escapes.get(c, c) for c in value) + "'"


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("'\\\"`;()-#/*,\n"), max_size=80),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 40),
    st.booleans(),
)
def test_any_values_come_out_of_a_dump_wherever_its_chunks_end(
    values: list[str], chunk: int, backslashes: bool
) -> None:
    import tempfile

    from spamfilter.labels import sqldump

    quote = _quoted if backslashes else (lambda v: "'" + v.replace("\\", "\\\\").replace("'", "''") + "'")
    rows = ",".join(f"({i},{quote(value)})" for i, value in enumerate(values))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.sql"
        path.write_bytes(f"INSERT INTO `t` (`n`,`v`) VALUES {rows};\n-- Dump completed".encode())
        kept, sqldump._CHUNK = sqldump._CHUNK, chunk  # type: ignore[misc]
        try:
            found = list(dump_rows(str(path), lambda table: table == "t"))
        finally:
            sqldump._CHUNK = kept  # type: ignore[misc]
    assert [row.values["v"] for row in found if isinstance(row, DumpRow)] == values


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_noise_in_place_of_an_export_is_an_error_of_ours(noise: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, LabelStore.open(Path(folder) / "labels.db") as store:
        for name in ("x.sql", "x.xml", "x.csv", "x.jsonl", "x.sql.gz"):
            path = Path(folder) / name
            path.write_bytes(b"INSERT INTO wp_comments VALUES " + noise if name == "x.sql" else noise)
            with pytest.raises(SpamFilterError):
                assert import_labels(store, path).read == 0 or store.stats().decisions == 0
                raise DataError("nothing in it")


def test_a_quote_without_end_is_found_in_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "x.sql"
    path.write_bytes(b"INSERT INTO wp_comments (a) VALUES ('" + b"spam \\' '' " * 800_000)
    begun = time.monotonic()
    with pytest.raises(UnreadableFile, match="never closed"):
        list(dump_rows(str(path), lambda table: True))
    assert time.monotonic() - begun < 20


# --- Disqus

DISQUS = """<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://disqus.com/api/schemas/1.0/disqus.xsd">
<category dsq:id="1"><forum>crumbs</forum><title>General</title></category>
<thread dsq:id="10"><id>post-5</id><forum>crumbs</forum><link>https://crumbs.example/rye</link><title>Rye</title><message/></thread>
{posts}
</disqus>"""


def disqus_post(
    number: int, message: str, spam: str = "false", deleted: str = "false", thread: str = "10", more: str = ""
) -> str:
    return (
        f'<post dsq:id="{number}"><id/><message><![CDATA[{message}]]></message><createdAt>2026-01-02T03:04:05Z'
        f"</createdAt><isDeleted>{deleted}</isDeleted><isSpam>{spam}</isSpam>{more}<author><name>Kim</name>"
        "<isAnonymous>false</isAnonymous><username>kim</username><email>k@k.example</email></author>"
        f'<ipAddress>192.0.2.7</ipAddress><thread dsq:id="{thread}"/></post>'
    )


def test_disqus_export_with_every_status(tmp_path: Path) -> None:
    counted = "http://disq.us/url?url=http%3A%2F%2Fpills.example%2Fbuy%3AxYz12&amp;cuid=7"
    posts = (
        disqus_post(1, "<p>Which flour?</p><p>I use &amp; love <i>rye</i>.</p>"),
        disqus_post(2, f'<p>Buy <a href="{counted}" rel="nofollow">cheap pills</a></p>', spam="true", deleted="true"),
        disqus_post(3, "<p>gone</p>", deleted="true"),
        disqus_post(4, "<p>waiting</p>", more="<isApproved>false</isApproved>"),
        disqus_post(5, '<p>see <a href="https://crumbs.example/a/long/address">https://crumbs.example/a/lo...</a></p>'),
        disqus_post(6, "<p>lost</p>", thread="77"),
    )
    path = tmp_path / "crumbs.xml.gz"
    path.write_bytes(gzip.compress(DISQUS.format(posts="\n".join(posts)).encode()))
    with LabelStore.open(tmp_path / "labels.db", keep_personal=True) as store:
        report = import_labels(store, path)
        assert (report.kind, report.read, report.ham, report.spam, report.queued) == ("disqus", 6, 2, 1, 1)
        assert accounted(report) and report.examples["its thread is not in the export"] == ["post 6 (line 11)"]
        assert labels(store) == {
            "Which flour?\nI use & love rye.": "ham",
            'Buy <a href="http://pills.example/buy">cheap pills</a>': "spam",
            "see https://crumbs.example/a/long/address": "ham",
        }
        row = next(store.current())
        assert (row.context.title, row.context.site, row.comment.author) == ("Rye", "crumbs.example", "Kim")
        assert (row.email, row.ip) == ("k@k.example", "192.0.2.7")


def test_a_file_that_is_not_there(store: LabelStore, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file"):
        import_labels(store, tmp_path / "none.csv")
