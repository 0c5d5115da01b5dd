from spamfilter.files import Failure, Input, expand


def names(found):
    return [one.path.rsplit("/", 1)[-1] if isinstance(one, Input) else one.kind for one in found]


def test_folder_is_searched_through_in_order_for_known_suffixes(tmp_path):
    for name in ("b.html", "a.HTM", "notes.md", "picture.png", "c/d.txt", "c/e.warc.gz", ".hidden/f.html", "t.csv.zst"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    found = list(expand([str(tmp_path)]))
    assert names(found) == ["a.HTM", "b.html", "d.txt", "e.warc.gz", "t.csv.zst"]
    assert [(one.kind, one.compression) for one in found if isinstance(one, Input)] == [
        ("page", None), ("page", None), ("page", None), ("warc", "gz"), ("csv", "zst"),
    ]  # fmt: skip


def test_what_is_named_is_read_whatever_its_suffix(tmp_path):
    (tmp_path / "page.php").write_text("x")
    assert list(expand([str(tmp_path / "page.php")])) == [Input(str(tmp_path / "page.php"), "page")]


def test_glob(tmp_path):
    for name in ("1.html", "2.html", "3.txt"):
        (tmp_path / name).write_text("x")
    assert names(expand([str(tmp_path / "*.html")])) == ["1.html", "2.html"]
    assert names(expand([str(tmp_path / "**")])) == ["1.html", "2.html", "3.txt"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    (tmp_path / "page[1].html").write_text("x")
    assert names(expand([str(tmp_path / "page[1].html")])) == ["page[1].html"]


def test_nothing_there_is_a_failure_each_and_loses_nothing_else(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.html").write_text("x")
    given = [str(tmp_path / "no.html"), str(tmp_path / "*.warc"), str(tmp_path / "empty"), str(tmp_path / "page.html")]
    found = list(expand(given))
    assert names(found) == ["missing", "missing", "missing", "page.html"]
    assert all(isinstance(one, Failure) and len(one.reason) > 20 for one in found[:3])


def test_a_link_to_the_folder_above_does_not_loop(tmp_path):
    (tmp_path / "page.html").write_text("x")
    (tmp_path / "up").symlink_to(tmp_path, target_is_directory=True)
    assert names(expand([str(tmp_path)])) == ["page.html"]
