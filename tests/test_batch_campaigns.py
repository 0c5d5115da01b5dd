import json
import math
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from spamfilter.batch import PageScorer
from spamfilter.batch.grouping import grouped
from spamfilter.batch.signing import RECORD, signed, wordings
from spamfilter.cli import main
from spamfilter.labels.campaigns import bands
from spamfilter.minhash import PERMUTATIONS, lowest
from spamfilter.records import Comment, Page
from tests.blogpages import blog

OFFER = (
    "I was looking for a way to earn from home and found {} after my sister told me about it, now I make more in a "
    "week than my old job paid in a month and you only need a telephone and two free hours"
)
QUOTE = (
    "My grandfather repaired bicycles in the harbour for forty years and he always said that a patch holds as long as "
    "the rubber under it is dry, so let it dry twice as long as the tube says"
)
THANKS = "Thanks a lot for this great post, keep up the good work!"


def page(site, article, *comments):
    """A line of JSON: a page of ``site`` about something of its own, with readers' comments of its own."""
    draw = random.Random(f"{site} {article}")
    words = "wheel river copper garden stone winter letter engine basket candle market violin".split()
    own = [("Rosa", " ".join(draw.choices(words, k=20)).capitalize() + ".")]
    html = blog([*own, *comments], f"{article} of {site}").replace(
        "Last Sunday the rear wheel",
        f"On the {article} we spoke of {site}: {' '.join(draw.choices(words, k=30))}, then",
    )
    return json.dumps({"url": f"http://{site}/{article}", "html": html}) + "\n"


def campaign_pages():
    yield page("one.example", "a", ("Work at home", OFFER.format("http://earn.example/1")), ("Ann", THANKS))
    yield page("two.example", "a", ("Easy money", OFFER.format("a link in my profile")), ("Bea", THANKS))
    yield page("three.example", "a", ("Jobs 4 you", OFFER.format("HTTP://earn.example/77")), ("Cem", THANKS))
    yield page("www.four.example", "a", ("Dollar", OFFER.format("this offer")), ("Dov", THANKS))
    # A site that shows one reader's comment on each of its pages, and one that was crawled at two addresses.
    for article in "abcdef":
        yield page("five.example", article, ("Hanne", QUOTE), ("Eli", THANKS))
    mirrored = page("six.example", "a", ("Jarl", QUOTE.replace("bicycles", "sewing machines")))
    yield from (mirrored, mirrored.replace("http://six.", "http://mirror-of-six."), mirrored)


@pytest.fixture(scope="module")
def crawl(tmp_path_factory):
    path = tmp_path_factory.mktemp("crawl") / "pages.jsonl"
    path.write_text("".join(campaign_pages()))
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lists_what_repeats_on_several_sites_and_nothing_else(crawl, tmp_path):
    out = tmp_path / "found.jsonl"
    assert main(["campaigns", str(crawl), "-o", str(out)]) == 0
    (found,) = lines(out)
    assert (found["comments"], found["appearances"], found["sites"]) == (4, 4, 4)
    examples = found["examples"]
    assert len(examples) == 3 and len({example["url"] for example in examples}) == 3
    assert all(example["text"].startswith("I was looking for a way") for example in examples)
    assert examples[0]["source"] == f"{crawl}#1" and examples[0]["author"] == "Work at home"
    assert list(tmp_path.iterdir()) == [out]


def test_a_text_under_many_articles_of_one_site_is_a_campaign_if_it_has_many_authors(tmp_path):
    pages = [page("one.example", article, (f"Name {article}", QUOTE)) for article in "abcd"]
    table, out = tmp_path / "pages.jsonl", tmp_path / "out.jsonl"
    table.write_text("".join(pages))
    assert main(["campaigns", str(table), "-o", str(out)]) == 0
    assert [(c["appearances"], c["places"], c["sites"]) for c in lines(out)] == [(4, 1, 1)]
    table.write_text(page("one.example", "a", *((f"Name {n}", f"{QUOTE} {n}") for n in "abcd")))  # one article
    assert main(["campaigns", str(table), "-o", str(out), "--least", "2"]) == 0
    assert lines(out) == []


def test_on_a_terminal_a_table(crawl, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["campaigns", str(crawl)]) == 0
    shown = capsys.readouterr().out
    assert "1 campaign" in shown and "one.example" in shown and "earn" in shown


def test_that_it_repeats_becomes_a_reason_and_raises_the_verdict(crawl, tmp_path):
    plain, raised = tmp_path / "plain.jsonl", tmp_path / "raised.jsonl"
    assert main(["score", str(crawl), "-o", str(plain)]) == 0
    assert main(["score", str(crawl), "-o", str(raised), "--campaigns"]) == 0
    changed = 0
    for before, after in zip(lines(plain), lines(raised), strict=True):
        for old, new in zip(before["comments"], after["comments"], strict=True):
            if "way to earn from home" not in new["text"]:
                assert old == new
                continue
            changed += 1
            reason, *rest = new["reasons"]
            assert reason["name"] == "campaign" and "4 sites" in reason["detail"] and rest == old["reasons"]
            assert reason["weight"] == pytest.approx(3.8)  # two doublings of 1.9
            p, q = old["probability"], new["probability"]  # rounded to six digits: near 1 that moves the log-odds
            assert math.log(q / (1 - q)) - math.log(p / (1 - p)) == pytest.approx(3.8, abs=0.1)
            assert sum(r["weight"] for r in new["reasons"]) == pytest.approx(math.log(q / (1 - q)), abs=0.1)
    assert changed == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.jsonl", "raised.jsonl"]


def test_campaigns_of_another_run_are_known(crawl, tmp_path, capsys):
    table, out = tmp_path / "known.npy", tmp_path / "out.jsonl"
    assert main(["campaigns", str(crawl), "--save", str(table), "-o", str(tmp_path / "x.jsonl")]) == 0
    single = tmp_path / "single.jsonl"
    single.write_text(page("new.example", "a", ("Me", OFFER.format("www.earn.example")), ("You", QUOTE)))
    assert main(["score", str(single), "-o", str(out), "--known-campaigns", str(table)]) == 0
    names = [[reason["name"] for reason in comment["reasons"]] for comment in lines(out)[0]["comments"]]
    assert [("campaign" in found) for found in names] == [False, True, False]
    row = json.loads(single.read_text())
    assert PageScorer(campaigns=str(table))(row["html"], row["url"])["comments"] == lines(out)[0]["comments"]
    for bad in (single, tmp_path / "absent.npy"):
        assert main(["score", str(single), "--known-campaigns", str(bad)]) == 2
        assert "spamfilter campaigns" in capsys.readouterr().err


def test_standard_input_cannot_be_read_twice(capsys):
    for given in (["campaigns", "-"], ["score", "-", "--campaigns"]):
        assert main(given) == 2
        assert "to a file first" in capsys.readouterr().err


def test_clean_takes_campaigns_out(tmp_path):
    text = "The regional almanac of tides lists a walk along the old sea wall that starts below the lighthouse steps"
    table, out = tmp_path / "pages.jsonl", tmp_path / "clean.jsonl"
    table.write_text("".join(page(f"s{n}.example", "a", (f"buy cheap {n}", f"{text} {OFFER}")) for n in range(9)))
    assert main(["clean", str(table), "-o", str(out), "--campaigns"]) == 0
    assert all("sea wall" not in row["html"] and "Rosa" in row["html"] for row in lines(out))


def many_pages(path):
    draw = random.Random(3)
    with path.open("w") as file:
        for n in range(150):
            more = [(f"Name {n}", OFFER.format(f"offer {n}"))] if draw.random() < 0.3 else []
            file.write("{broken\n" if n % 23 == 5 else page(f"site{n % 17}.example", f"a{n}", *more))


def test_killed_and_resumed_with_other_workers_gives_the_same_bytes(tmp_path):
    table, whole, killed = (tmp_path / name for name in ("pages.jsonl", "whole.jsonl.gz", "killed.jsonl.gz"))
    many_pages(table)

    def call(out, workers, *more):
        given = ("--campaigns", "--part-size", "7", "--workers", workers, *more)
        return [sys.executable, "-m", "spamfilter", "score", str(table), "-o", str(out), *given]

    assert subprocess.run(call(whole, "1"), capture_output=True, check=False).returncode == 1
    draw, kills = random.Random(1), 0
    for workers in "212":
        process = subprocess.Popen(call(killed, workers, "--resume"), stderr=subprocess.PIPE)
        target = marked(tmp_path) + draw.randint(1, 5)
        while process.poll() is None and marked(tmp_path) < target:
            time.sleep(0.01)
        kills += process.poll() is None
        process.kill()
        process.communicate()
    assert kills
    assert subprocess.run(call(killed, "2", "--resume"), capture_output=True, check=False).returncode == 1
    assert killed.read_bytes() == whole.read_bytes()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"pages.jsonl", "whole.jsonl.gz", "killed.jsonl.gz", "killed.jsonl.gz.done.json"}
    again = subprocess.run(call(killed, "1", "--resume"), capture_output=True, check=False)
    assert again.returncode == 1 and not (tmp_path / "killed.jsonl.gz.campaigns").exists()


def marked(folder):
    try:
        return len(list(folder.rglob("_markers/part-*.json")))
    except FileNotFoundError:  # the run ended just now, and took its parts away
        return 0


# ------------------------------------------------------------------------------------ the library below
def records(n, seed=1):
    draw = random.Random(seed)
    words = [f"{a}{b}" for a in ("ba", "lo", "mi", "tu", "ke", "za", "fo") for b in ("nar", "sil", "dek", "pam", "rut")]
    texts = [" ".join(draw.choices(words, k=20)) for _ in range(n // 5)]
    out = []
    for i in range(n):
        text = draw.choice(texts).split()
        text[draw.randrange(20)] = draw.choice(words)
        where = Page(None, "", url=f"http://{draw.randrange(40)}.example/{draw.randrange(9)}")
        out.append(signed([Comment(" ".join(text), draw.choice("abc"))], where, str(i)))
    return np.concatenate(out)


def test_grouping_by_parts_on_disk_gives_what_it_gives_in_memory(tmp_path):
    path = tmp_path / "comments.bin"
    path.write_bytes(records(900).tobytes())
    whole = grouped(path)
    assert len(whole.campaigns) > 20
    for at_once in (64, 250):
        parts = grouped(path, at_once=at_once)
        for name in ("campaigns", "members", "examples"):
            assert np.array_equal(getattr(parts, name), getattr(whole, name))
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(b"")
    assert len(grouped(path).campaigns) == 0


def test_short_comments_get_no_record_and_a_record_holds_no_text():
    texts = ["thanks!", "first", "+1", THANKS, QUOTE, "Kaffee " * 40]
    found = signed([Comment(text) for text in texts], Page(None, ""), "x")
    assert found.tobytes() == signed([Comment(QUOTE)], Page(None, ""), "x").tobytes()
    assert RECORD.itemsize == 92


def test_wordings_are_equal_for_what_a_reader_takes_for_the_same():
    same = wordings(
        [QUOTE, QUOTE.upper(), QUOTE.replace(" ", "  ") + "!", QUOTE + " http://a.example/1", QUOTE + " 17"]
    )
    assert len(set(same.tolist())) == 1
    assert wordings([QUOTE.replace("dry", "wet")])[0] != same[0]
    assert wordings(["a", "b"]).tolist() == [wordings(["a"])[0], wordings(["b"])[0]]


def test_signatures_estimate_jaccard_similarity():
    rng = np.random.default_rng(4)
    sets = [rng.integers(0, 2**32, 400, np.uint32) for _ in range(30)]
    sets += [np.concatenate((s[:200], rng.integers(0, 2**32, 200, np.uint32))) for s in sets] + [sets[0][:0]]
    ptr = np.cumsum([0, *map(len, sets)])
    found = lowest(np.concatenate(sets), ptr)
    assert found.shape == (61, PERMUTATIONS)
    agree = (found[:30] == found[30:60]).mean()
    assert abs(agree - 1 / 3) < 0.05  # 200 of 600 are common
    assert (found[60] == 0xFFFFFFFF).all()
    assert np.array_equal(found[7], lowest(sets[7], np.array([0, 400]))[0])


def test_numbers_kept_in_label_stores_stay_what_they_are():
    text = "A neighbour of mine mends clocks in the old station and says that the great hall needs new windows before winter."
    assert bands(text) == (
        6514074727709841803, 2161142007980201569, 6386822884041233561, 8401224235231982873, 4134836996717651980,
        4100694127180438019, 4604854319855362284, 5198855122947449973, 9172522349052404382,
    )  # fmt: skip


@pytest.fixture
def comments(tmp_path):
    """A table of comments: five of an offer under as many posts, the same reader's story five times under one."""
    path = tmp_path / "comments.jsonl"
    rows = [{"comment": OFFER.format(f"offer {n}"), "author": f"Work {n}", "post_id": f"p{n}"} for n in range(5)]
    rows += [{"comment": QUOTE, "author": f"Reader {n}", "post_id": "p9"} for n in range(5)]
    rows += [{"comment": THANKS, "author": "Ann", "post_id": f"p{n}"} for n in range(5)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_classify_raises_what_repeats_under_several_posts(comments, tmp_path, capsys):
    plain, told, other = (tmp_path / name for name in ("plain.jsonl", "told.jsonl", "other.csv"))
    assert main(["classify", str(comments), "-o", str(plain)]) == 0
    for workers in "12":
        assert main(["classify", str(comments), "-o", str(told), "--campaigns", "--workers", workers]) == 0
        before, after = lines(plain), lines(told)
        hit = [row["reasons"].startswith("campaign, ") for row in after]
        assert hit == [True] * 5 + [False] * 10
        assert all(a["spam_probability"] > b["spam_probability"] for a, b in zip(after[:5], before[:5], strict=True))
        assert after[5:] == before[5:]
    assert {path.name for path in tmp_path.iterdir()} == {"comments.jsonl", "plain.jsonl", "told.jsonl"}
    nowhere = tmp_path / "nowhere.jsonl"
    nowhere.write_text(json.dumps({"comment": OFFER, "author": "Work"}) + "\n")
    assert main(["classify", str(nowhere), "-o", str(other), "--campaigns"]) == 2
    assert "--map page=NAME" in capsys.readouterr().err


def test_classify_knows_the_campaigns_of_pages(comments, tmp_path):
    pages, known, told = (tmp_path / name for name in ("pages.jsonl", "known.npy", "told.jsonl"))
    pages.write_text("".join(page(f"s{n}.example", "a", (f"offer {n}", OFFER.format(f"offer {n}"))) for n in range(5)))
    assert main(["campaigns", str(pages), "--save", str(known)]) == 0
    assert main(["classify", str(comments), "-o", str(told), "--known-campaigns", str(known)]) == 0
    assert [row["reasons"].startswith("campaign") for row in lines(told)] == [True] * 5 + [False] * 10
