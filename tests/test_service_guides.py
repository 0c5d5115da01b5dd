"""The guides of docs/service.md do what they say: their code, taken from the page, talks to a running service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")
pytest.importorskip("jinja2", reason="the extra serve is not installed")

from spamfilter.labels import LabelStore
from spamfilter.store import models_folder
from tests.test_service_server import KEY, ROOT, Server

pytestmark = pytest.mark.skipif(not (models_folder() / "CURRENT").is_file(), reason="no model in models/")
GUIDES = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
HAM = "We crossed with the first ferry, and the third one a day is a great help to the school on the island."
SPAM = "Buy cheap replica watches and handbags at http://watches-outlet.example best price free shipping worldwide"
ARTICLE = (
    "Does anybody know why the ferry runs only twice a day in winter? I asked the harbour master, and he says the quay "
    "could take a third crossing once the old crane is gone. My two go to school on the mainland and wait two hours in "
    "the shelter beside the slipway, which I think is a shame. We wrote to the council in March and I have not heard "
    "from them since. What did they tell you?"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("guides"))
    yield running
    running.close()


def code(language: str, section: str) -> str:
    part = GUIDES.split(f"### {section}\n")[1]
    found = re.search(rf"```{language}\n(.*?)```", part, re.S)
    assert found, f"the guide of {section} has no {language}"
    return found[1]


def run(command: list[str], folder: Path) -> dict[str, object]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def article_at(server: Server, permalink: str) -> tuple[str | None, str | None] | None:
    """Title and article that the service knows of an address; written down a moment after they were given."""
    until = time.monotonic() + 5
    with LabelStore.open(server.folder / "data" / "labels.db", readonly=True) as labels:
        while time.monotonic() < until:
            if found := labels.article_for(permalink, site="blog.example"):
                return found.title, found.article
            time.sleep(0.05)
    return None


def test_pypi_client(server: Server) -> None:
    pytest.importorskip("akismet")
    guide = code("python", "Anything that uses the PyPI package `akismet`")
    guide = (
        guide.replace("8650", str(server.port)).replace("your 12-letter key", KEY).replace("timeout=1.0", "timeout=9")
    )
    guide = guide.replace("client.comment_check(", "answer = client.comment_check(")
    given = {"user_ip": "203.0.113.7", "name": "Ida", "post_url": "https://blog.example/ferry"}
    spam, ham = dict(given, text=SPAM), dict(given, text=HAM)
    exec(guide, spam)
    exec(guide, ham)
    assert (int(spam["answer"]) >= 1, int(ham["answer"])) == (True, 0)


# What the guide needs of WordPress, as its functions come to: filters, and an HTTP request.
WORDPRESS = """<?php
$filters = [];
function add_filter($name, $call, $order = 10, $n = 1) { $GLOBALS['filters'][$name] = [$call, $n]; }
function apply_filters($name, ...$given) {
    [$call, $n] = $GLOBALS['filters'][$name]; return $call(...array_slice($given, 0, $n)); }
function wp_parse_url($url, $part) { return parse_url($url, $part); }
function get_post($id) { return (object) ['post_title' => 'A third ferry', 'post_content' => $GLOBALS['article']]; }
function get_the_title($post) { return $post->post_title; }
function wp_strip_all_tags($text) { return trim(strip_tags($text)); }
function wp_remote_request($url, $args) {
    $answer = apply_filters('pre_http_request', false, $args, $url);
    if ($answer !== false) return $answer;
    $headers = '';
    foreach ($args['headers'] as $name => $value) $headers .= "$name: $value\\r\\n";
    $http = ['method' => 'POST', 'header' => $headers, 'content' => $args['body'], 'protocol_version' => 1.0];
    return ['body' => file_get_contents($url, false, stream_context_create(['http' => $http]))];
}
function akismet($path, $fields) {  // as the plugin asks
    $fields = apply_filters('akismet_request_args', $fields, $path);
    $args = ['body' => http_build_query($fields) . '&api_key=' . $GLOBALS['key'], 'headers' => [
        'Content-Type' => 'application/x-www-form-urlencoded; charset=UTF-8', 'Host' => 'rest.akismet.com']];
    return wp_remote_request("https://rest.akismet.com/1.1/$path", $args)['body'];
}
[, $key, $article, $spam, $ham] = $argv;
require 'guide.php';
$about = ['blog' => 'https://blog.example', 'user_ip' => '203.0.113.7', 'comment_author' => 'Ida',
    'comment_post_ID' => 7, 'permalink' => 'https://blog.example/wordpress'];
echo json_encode([
    'key' => akismet('verify-key', ['key' => $key, 'blog' => 'https://blog.example']),
    'spam' => akismet('comment-check', $about + ['comment_content' => $spam]),
    'ham' => akismet('comment-check', $about + ['comment_content' => $ham]),
    'thanks' => akismet('submit-spam', $about + ['comment_content' => $spam, 'reporter' => 'greta']),
    'gone' => akismet('deactivate', ['key' => $key, 'blog' => 'https://blog.example']),
]);
"""


def test_wordpress(server: Server, tmp_path: Path) -> None:
    if not (php := shutil.which("php")):
        pytest.skip("needs php")
    (tmp_path / "guide.php").write_text(code("php", "WordPress").replace("http://127.0.0.1:8650", server.url))
    (tmp_path / "site.php").write_text(WORDPRESS)
    answers = run([php, "site.php", KEY, f"<!-- wp:paragraph --><p>{ARTICLE}</p>", SPAM, HAM], tmp_path)
    thanks = "Thanks for making the web a better place."
    assert answers == {"key": "valid", "spam": "true", "ham": "false", "thanks": thanks, "gone": "deactivated"}
    assert article_at(server, "https://blog.example/wordpress") == ("A third ferry", ARTICLE.strip())


# What the guide needs of Discourse: the plugin's client as its source has it, with Ruby's own HTTP, and a topic.
DISCOURSE = """
require 'json'
require 'net/http'
Topic = Struct.new(:title, :first_post) do
  def self.find_by(id:) = id == '12' ? new('A third ferry', Struct.new(:raw).new(ARGV[1])) : nil
end
module Akismet
  class Client
    def initialize(api_key:, base_url:)
      @api_url, @base_url = "https://#{api_key}.rest.akismet.com/1.1", base_url
    end
    def comment_check(body) = post('comment-check', body)
    private
    def post(path, body)
      address = URI("#{@api_url}/#{path}")
      request = Net::HTTP::Post.new(address)
      request.basic_auth(address.user, address.password)
      request.set_form_data(body.merge(blog: @base_url))
      Net::HTTP.start(address.hostname, address.port) { |http| http.request(request) }.body
    end
  end
end
def after_initialize = yield
load './guide.rb'
client = Akismet::Client.new(api_key: ARGV[0], base_url: 'https://blog.example')
about = { content_type: 'forum-post', user_ip: '203.0.113.7', comment_author: 'ida' }
first = { permalink: 'https://blog.example/t/a-third-ferry/12/1', comment_content: "A third ferry\\n\\n#{ARGV[1]}" }
reply = { permalink: 'https://blog.example/t/a-third-ferry/12/5', comment_content: ARGV[3] }
spam = reply.merge(comment_content: ARGV[2])
puts JSON.generate([first, reply, spam].map { |post| client.comment_check(about.merge(post)) })
"""


def test_discourse(server: Server, tmp_path: Path) -> None:
    if not (ruby := shutil.which("ruby")):
        pytest.skip("needs ruby")
    guide = code("ruby", "Discourse").replace("spamfilter.internal:8650", f"127.0.0.1:{server.port}")
    (tmp_path / "guide.rb").write_text(guide)
    (tmp_path / "site.rb").write_text(DISCOURSE)
    assert run([ruby, "site.rb", KEY, ARTICLE.strip(), SPAM, HAM], tmp_path) == ["false", "false", "true"]
    assert article_at(server, "https://blog.example/t/a-third-ferry/12/5") == ("A third ferry", ARTICLE.strip())
    with LabelStore.open(server.folder / "data" / "labels.db", readonly=True) as labels:
        assert labels.article_for("https://blog.example/t/a-third-ferry/12/1", site="blog.example") is None


# A site with django-contrib-comments, and its signals sent as its views send them.
DJANGO = """
import json, sys
from types import SimpleNamespace
import django
from django.conf import settings
url, key, article, spam, ham = sys.argv[1:]
apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites", "django_comments"]
settings.configure(INSTALLED_APPS=apps, SITE_ID=1, SPAMFILTER_URL=url, SPAMFILTER_KEY=key, ALLOWED_HOSTS=["*"])
django.setup()
import guide
from django.test import RequestFactory
from django_comments.models import Comment, CommentFlag
from django_comments.signals import comment_was_flagged, comment_will_be_posted
class Page:
    body = article
    __str__ = lambda self: "A third ferry"
    get_absolute_url = lambda self: "/django"
class Posted(SimpleNamespace):
    content_object = Page()
def post(text):
    about = dict(user_name="Ida", user_email="", user_url="", ip_address="203.0.113.7", is_public=True)
    comment = Posted(comment=text, **about)
    request = RequestFactory(SERVER_NAME="blog.example").post("/comments/post/", secure=True)
    request.user = SimpleNamespace(get_username=lambda: "greta")
    comment_will_be_posted.send(sender=Comment, comment=comment, request=request)
    return comment, request
(bad, request), (good, _) = post(spam), post(ham)
flag = CommentFlag(flag=CommentFlag.MODERATOR_DELETION)
comment_was_flagged.send(sender=Comment, comment=bad, flag=flag, created=True, request=request)
settings.SPAMFILTER_URL = "http://127.0.0.1:9"
print(json.dumps({"spam": bad.is_public, "ham": good.is_public, "out of reach": post(ham)[0].is_public}))
"""


def test_django(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("django")
    pytest.importorskip("django_comments")
    (tmp_path / "guide.py").write_text(code("python", "Django"))
    (tmp_path / "site_of_ours.py").write_text(DJANGO)
    command = [sys.executable, "site_of_ours.py", server.url, KEY, ARTICLE, SPAM, HAM]
    assert run(command, tmp_path) == {"spam": False, "ham": True, "out of reach": False}
    with LabelStore.open(server.folder / "data" / "labels.db", readonly=True) as labels:
        rows = [row for row in labels.rows() if row.context.permalink == "https://blog.example/django"]
    assert [(row.label, row.who, row.comment.text, row.context.title) for row in rows] == [
        ("spam", "greta", SPAM, "A third ferry")
    ]
