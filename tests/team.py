"""A moderation team made up for tests: a site with readers, and with advertisers whom no general model knows."""

import random
from datetime import UTC, datetime, timedelta

from spamfilter.labels import Context, Decision, LabelStore
from spamfilter.records import Comment

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
_PLACES = "harbour orchard quarry viaduct mill lighthouse towpath marsh weir chapel".split()
_THINGS = "gate bench signpost footbridge wall lantern bell fence sluice roof".split()
_WHO = "my aunt|the warden|our postman|a neighbour|the ferryman|my brother|the choir|two anglers".split("|")
_DID = "painted|photographed|lost a glove at|argued about|sketched|walked round|slept beside|repaired".split("|")
_WHEN = "in the rain|before the war|last week|at low tide|when it snowed|on a bicycle|as a child|by torchlight".split(
    "|"
)
_OPEN = "You forgot that|I am sure|It may be that|Nobody told us|We laughed, because|By the way,|True, and".split("|")
_SELL = "warm hands|a lighter step|deep sleep|calm evenings|new courage|soft knees|clear thoughts|slow mornings".split(
    "|"
)
_CALL = "come and sit with|find room beside|ask at the door for|bring a friend to|be the guest of|write to".split("|")
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def decision(n, spam, rng, who="ana", site="walks.example"):
    """One decision: a reader's comment, or one of a campaign that is worded anew each time."""
    place, thing, when, day = (rng.choice(words) for words in (_PLACES, _THINGS, _WHEN, _DAYS))
    if spam:  # the circle and Marlo are what this team's advertisers have in common
        words = [f"{rng.choice(_SELL)} {when}", f"{rng.choice(_CALL)} the wellness circle", f"Marlo of the {place}"]
        rng.shuffle(words)
        text = f"{rng.choice(_OPEN)} {', '.join(words)}, {day}."
    else:
        asks = rng.choice(["?", ".", ".", "!"])
        text = f"{rng.choice(_OPEN)} {rng.choice(_WHO)} {rng.choice(_DID)} the {thing} by the {place} {when}{asks}"
    if not spam and rng.random() < 0.15:
        text = rng.choice(["Thank you!", f"The {place}!", "Lovely.", f"Which {thing}?"])
    author = rng.choice(["Greta", "Old Tom", "birdwatcher", "M. Quill"]) + (f" {n}" if spam else "")
    post = f"https://{site}/{rng.choice(_PLACES)}"
    title = f"A walk past the {post.rpartition('/')[2]}"
    under = Context(title, f"{title}. The path was dry and we met nobody until noon.", post, site, "en")
    at = START + timedelta(hours=n)
    return Decision(Comment(text, author), "spam" if spam else "ham", who, "page", under, look="blind", at=at)


def fill(path, labels=160, first=0, seed=1, share=0.4, flip=0.0):
    """Add so many decisions to the label store at ``path``; ``flip`` of them are wrong."""
    rng = random.Random(seed * 10_000 + first)
    with LabelStore.open(path) as store:
        store.add_many(_decisions(labels, first, rng, share, flip))
    return path


def _decisions(labels, first, rng, share, flip):
    import dataclasses

    for n in range(first, first + labels):
        made = decision(n, rng.random() < share, rng)
        if rng.random() < flip:
            made = dataclasses.replace(made, label="ham" if made.label == "spam" else "spam")
        yield made
