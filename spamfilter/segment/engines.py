"""Markup of well-known comment and forum engines, as data.

One :class:`Engine` says by which strings in the source a page of the engine is suspected, by which CSS selector
its comments are found, and where inside a comment the author, the date and the text stand.  To teach the
segmenter another engine, add an entry; nothing else needs to change.  Selectors of a tuple are tried in order and
the first with a hit counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["BLOGS", "FORUMS", "FREQUENT", "GENERIC", "WORDPRESS", "WPDISCUZ", "Engine"]


@dataclass(frozen=True, slots=True)
class Engine:
    """How one engine writes its comments."""

    name: str
    #: Any of these makes the page worth a look (bytes, as searching them is cheapest): in the names of its classes
    #: for forums, anywhere in the source for blogs.
    signs: tuple[bytes, ...]
    #: Comment elements; nested ones are answers.
    comment: str
    text: tuple[str, ...]
    author: tuple[str, ...]
    date: tuple[str, ...]
    #: Parts inside the text that are not the commenter's words.
    junk: str = ""
    #: Where the article stands; tried before the places that any page may have.
    article: tuple[str, ...] = ()
    #: In a thread the first post is the article.
    thread: bool = False
    #: Parts of a comment that stand beside its element: "after" takes the following siblings up to the next comment
    #: (definition lists), "before" the sibling that precedes the element's holder (a table row with the name).
    beside: str = ""
    #: Links to the comment itself.
    permalink: tuple[str, ...] = ()
    #: Elements between an answer and the comment that it answers, where answers are not inside of it.
    indent: str = ""
    #: How many levels above the comment element stands the one that holds its answers too.
    holder: int = 0


_TEXT = (
    ".comment-content",
    ".wp-block-comment-content",
    ".wpd-comment-text, .wc-comment-text",
    ".comment__text",
    ".comment_content",
    ".commentcontent",
    ".comment-text .description",
    "[itemprop=commentText]",
    "[itemprop=text]",
    ".comment-text",
    ".comment_text",
    ".commenttext",
    ".comment_body",
    ".commententry",
    ".comment-entry",
    ".comment-body-content",
    ".comment-txt",
    ".comment__content",
    ".c-comment__content",
    ".comment__body",
    ".e-content, .p-content, .e-content.p-name",
    ".comment-body",
    ".commentbody",
    ".comment-message, .comment_message",
    "[property~='schema:text'], [property~='content:encoded']",
    ".text",
    "[class*=comment i][class*=text i], [class*=comment i][class*=body i], [class*=comment i][class*=content i]",
    ".comment",
    "[class*=content i]",
    "[class*=message i]",
    "[class*=text i]",
    "[class*=body i]",
    "blockquote",
)
_AUTHOR = (
    ".fn",
    ".wp-block-comment-author-name",
    ".comment-author cite",
    ".wpd-comment-author, .wc-comment-author",
    ".comment__author-name",
    ".comment-author-name",
    ".comment-author-link",
    ".comment-author",
    ".commentauthor",
    ".comment_author",
    "[itemprop=author] [itemprop=name]",
    "[itemprop=author], [itemprop=creator]",
    ".p-author .p-name, .p-author",
    "[rel~='schema:author'], [rel~='sioc:has_creator']",
    ".author",
    "cite",
    "[class*=author i]",
    "[class*=username i]",
    "[class*=user-name i], [class*=user_name i]",
    "[class*=nick i]",
    "[class*=name i]",
    ".vcard",
    ".by, .byline",
    "h3, h4, h5",
    "strong",
    "b",
    "[class*=user i]",
    "[class*=info i] span, [class*=info i] a, [class*=meta i] a",
    "[class*=meta i], [class*=info i], [class*=head i]",
)
_DATE = (
    "time",
    '.comment-meta a[href*="#comment"]',
    ".commentmetadata a",
    ".wp-block-comment-date",
    ".comment-meta-date",
    ".comment-date",
    ".comment_date",
    ".wpd-comment-date, .wc-comment-date",
    'a[href*="#comment-"]',
    "[itemprop=datePublished], [itemprop=dateCreated], [itemprop=commentTime]",
    ".comment-meta",
    ".commentmetadata",
    "[class*=date i]",
    "[class*=time i]",
    "[class*=published i], [class*=posted i], [class*=meta i], [class*=info i]",
)
# Parts of a theme that stand inside the text of a comment.
_JUNK = (
    ".reply, .comment-reply-link, .comment-meta, .commentmetadata, .comment-author, .comment-author-link, footer, "
    "cite, .says, .comment-awaiting-moderation, .comment-footer, form, .children, .jp-likes, .comment-likes, "
    ".cld-like-dislike-wrap, .comment-like, .wpdiscuz-hidden, .edit-link, .avatar, .comment-edit-link, "
    ".comment-actions, .sharedaddy, .pd-rating, .screen-reader-text, .comment-date, .comment-time, button, "
    # Beyond WordPress' own: tools, votes and flags of custom engines, and the form that opens under a comment.
    "a[href*=replytocom], [class*=reply-link], [class*=comment-tools], [class*=comment-action], "
    "[class*=toggle-wrapper], [class*=report], [class*=vote], [class*=js-reply], [class*=readmore], [class*=share]"
)

GENERIC = Engine(
    name="",
    signs=(),
    comment="",
    text=_TEXT,
    author=_AUTHOR,
    date=_DATE,
    junk=_JUNK,
    permalink=(
        'a[href*="#comment-"]',
        "time a",
        "a:has(time)",
        "a[class*=time], a[class*=date]",
        "[class*=date] a",
        "a[href*='#c']",
    ),
)

# WordPress by its own classes and ids, which most themes keep even where they change everything inside.
WORDPRESS = replace(
    GENERIC,
    name="wordpress",
    signs=(b"comment",),
    comment=(
        'li[id*="comment-"], div[id^="comment-"].comment, article[id^="comment-"], li.comment, div.comment, '
        "li.pingback, li.trackback"
    ),
)

# A plug-in that replaces WordPress' own comments.
WPDISCUZ = Engine(
    name="wordpress",
    signs=(b"wpd-comment", b"wc-comment"),
    comment=".wpd-comment, .wc-comment",
    text=(".wpd-comment-text, .wc-comment-text",),
    author=(".wpd-comment-author", ".wc-comment-author"),
    date=(".wpd-comment-date", ".wc-comment-date"),
    junk="[id^=wpdiscuz-readmore], .wpd-comment-last-edited, .wc-comment-img-link-wrap",
    permalink=("a[href*='#comment-']",),
)

# Engines with comment elements of their own.
FORUMS: tuple[Engine, ...] = (
    WPDISCUZ,
    Engine(
        name="stackexchange",
        signs=(b"js-post-body", b"comment-copy"),
        comment="div.answer, li.comment",
        text=(".js-post-body", ".post-text", ".comment-copy"),
        author=(".comment-user", "[itemprop=author] a", ".user-details a", ".user-details"),
        date=(".comment-date .relativetime-clean", ".user-action-time .relativetime", ".relativetime", "time"),
        junk=".post-taglist, .js-post-notice",
        article=("#question .js-post-body", "#question .post-text"),
        permalink=(".comment-link", ".js-share-link", "a.short-link"),
    ),
    Engine(
        name="discourse",
        signs=(b"crawler-post",),
        comment="div.crawler-post",
        text=("div.post",),
        author=(".creator [itemprop=name]", ".creator"),
        date=("time.post-time", "time"),
        thread=True,
        permalink=("a[itemprop=url]", ".crawler-post-infos a"),
    ),
    Engine(
        name="discourse",
        signs=(b"topic-post",),
        comment="div.topic-post",
        text=("div.cooked",),
        author=(".names .username", ".names a", "[data-user-card]"),
        date=(".post-date [data-time]", ".relative-date", "time"),
        junk=".quote-controls, .lightbox-wrapper .meta, .post-menu-area",
        thread=True,
        permalink=("a.post-date",),
    ),
    Engine(
        name="xenforo",
        signs=(b"message-body", b"messageText"),
        comment="article.message, li.message[id^=post-]",
        text=(".message-body .bbWrapper", ".message-content .bbWrapper", ".bbWrapper", "blockquote.messageText"),
        author=(".message-name .username", ".message-name", ".userText .username", "a.username", ".username"),
        date=("time[datetime]", ".message-attribution-main", ".DateTime", ".datePermalink"),
        junk=(
            ".bbCodeBlock-expandLink, .message-lastEdit, .js-selectToQuoteEnd, .messageTextEndMarker, .signature, "
            ".bbCodeBlock--unfurl, .lightbox, .lazyloading-shimmer, button"
        ),
        thread=True,
        permalink=("a[href*='#post-']", ".message-attribution-main a", "a.datePermalink"),
    ),
    Engine(
        name="phpbb",
        signs=(b"postbody", b"phpbb"),
        comment="div.post[id^=p]",
        text=(".content", ".postbody"),
        author=(".author .username", ".author .username-coloured", ".author strong", ".postprofile dt a", ".username"),
        date=(".author time", ".author"),
        junk=".attachbox, .notice, .signature, .author, h3, .post-buttons, .profile-icons",
        thread=True,
        permalink=("h3 a", ".author a[href*='#p']"),
    ),
    Engine(
        name="vbulletin",
        signs=(b"postbit", b"postcontainer", b"tborder", b"tpost"),
        comment="li.postcontainer, li.postbit, li.postbitlegacy, div.tpost, table[id^=post]",
        text=("[id^=post_message_]",),
        author=(".username strong", "a.username", ".username", ".bigusername", "[itemprop=name]"),
        date=(".postdate .date", ".postdate", "time", ".thead"),
        junk=".signature",
        thread=True,
        permalink=("a[id^=postcount]", "a.postcounter", "a[href*='#post']"),
    ),
    Engine(
        name="vbulletin",  # version 5
        signs=(b"js-post__content-text",),
        comment="li.b-post",
        text=(".js-post__content-text",),
        author=(".b-userinfo .author a", ".author a", ".author"),
        date=("time", ".b-post__timestamp"),
        junk=".signature",
        thread=True,
        permalink=("a.b-post__count", "a[href*='#post']"),
    ),
    Engine(
        name="invision",
        signs=(b"ipsComment", b"ipsEntry", b"ipsType_richText", b"post_block"),
        comment="article.ipsComment, article.ipsEntry, article[id^=elComment_], div.post_block",
        text=("[data-role=commentContent]", ".ipsRichText", ".ipsType_richText", ".entry-content", ".post_body .post"),
        author=(".cAuthorPane_author", ".ipsEntry__username", "[itemprop=name]", "h3", ".author"),
        date=("time", "abbr.published"),
        junk=".ipsQuote_citation, .ipsItemStatus, .signature, [data-role=memberSignature]",
        thread=True,
        permalink=("a[href*='#findComment']", "a[href*='#comment-']", "a[href*='#entry']"),
    ),
    Engine(
        name="mybb",
        signs=(b"post_body",),
        comment="div.post[id^=post_], table[id^=post_]",
        text=(".post_body",),
        author=(".author_information .largetext", ".author_information a", ".largetext"),
        date=(".post_date",),
        thread=True,
        permalink=("a[href*='#pid']",),
    ),
    Engine(
        name="smf",
        signs=(b"post_wrapper", b"windowbg"),
        comment="div.post_wrapper",
        text=("div.inner[id^=msg_]", "div.inner", ".post"),
        author=(".poster h4 a", ".poster h4"),
        date=(".keyinfo .smalltext", ".smalltext", "time"),
        junk=".quoteheader, .quotefooter, .moderatorbar, .signature",
        thread=True,
        permalink=("h5 a", "a[href*='#msg']"),
    ),
    Engine(
        name="fluxbb",
        signs=(b"blockpost",),
        comment="div.blockpost",
        text=(".postmsg",),
        author=(".postleft dt strong", ".postleft dt"),
        date=("h2 a", "h2"),
        junk=".postedit, .postsignature, h3",
        thread=True,
        permalink=("h2 a",),
    ),
    Engine(
        name="flarum",
        signs=(b"App-content", b"CommentPost", b"PostStream"),
        comment="article.CommentPost, article.Post, .PostStream-item article, #flarum-content article",
        text=(".Post-body",),
        author=(".PostUser .username", ".PostUser", ".username", "h3"),
        date=(".PostMeta time", "time"),
        thread=True,
    ),
    Engine(
        name="hacker news",
        signs=(b"hnuser",),
        comment="tr.comtr, tr.athing.comtr",
        text=(".commtext", ".comment"),
        author=("a.hnuser",),
        date=(".age",),
        junk=".reply",
        article=(".toptext", ".titleline"),
        permalink=(".age a",),
        indent="td.ind",
    ),
    Engine(
        name="reddit",
        signs=(b"usertext-body", b"commentarea"),
        comment=".commentarea .thing.comment",
        text=(".usertext-body .md", ".usertext-body"),
        author=("a.author", ".author"),
        date=("time",),
        article=("#siteTable .usertext-body .md",),
        permalink=("a.bylink", "a[data-event-action=permalink]"),
    ),
    Engine(
        name="lemmy",
        signs=(b"person-listing",),
        comment="article[id^=comment-]",
        holder=1,
        text=(".comment-content",),
        author=(".person-listing span", ".person-listing"),
        date=(".moment-time",),
        article=(".post-listing h1, .post-listing .md-div, #postContent",),
        permalink=("a[href*='/comment/']",),
    ),
    Engine(
        name="steam",
        signs=(b"commentthread_comment",),
        comment="div.commentthread_comment",
        text=(".commentthread_comment_text",),
        author=(".commentthread_author_link",),
        date=(".commentthread_comment_timestamp",),
        junk=".bb_quoteauthor",
        article=(".forum_op .content",),
    ),
    Engine(
        name="gamefaqs",
        signs=(b"msg_text",),
        comment="td.msg",
        text=(".msg_text", ".msg_body"),
        author=("a.name b", "a.name"),
        date=(".post_time",),
        thread=True,
    ),
    Engine(
        name="nairaland",
        signs=(b"narrow",),
        comment="td[id^=pb]",
        text=(".narrow",),
        author=("a.user",),
        date=("[itemprop=datePublished]", "span.s"),
        thread=True,
        holder=1,
        beside="before",
    ),
    Engine(
        name="nodebb",
        signs=(b"timeline", b"posts-container"),
        comment="li[component=post], div[component=post]",
        text=("[component='post/content']", ".content"),
        author=("a[itemprop=author]", "a[data-username]", "a[href*='/user/']"),
        date=(".timeago", "time"),
        junk=".post-signature",
        thread=True,
        permalink=("a.permalink",),
    ),
    Engine(
        name="vanilla",
        signs=(b"ItemComment", b"ItemDiscussion"),
        comment=".ItemDiscussion, .ItemComment",
        text=(".Message", ".Item-Body"),
        author=(".Username", ".Author a[href]"),
        date=("time", ".DateCreated"),
        junk=".Signature, .Reactions",
        thread=True,
        permalink=("a.Permalink",),
    ),
    Engine(
        name="punbb",
        signs=(b"posthead",),
        comment="div.posthead",
        beside="after",
        text=(".entry-content", ".post-entry", ".postmsg"),
        author=(".author-ident .username", ".post-byline a", ".post-byline strong"),
        date=(".post-link a", ".posthead"),
        junk=".sig-content, .sig-line",
        thread=True,
        permalink=("a.permalink",),
    ),
    Engine(
        name="smf",  # version 1
        signs=(b"windowbg",),
        comment="#quickModForm > tbody > tr",
        text=(".post",),
        author=("b > a[href*='action=profile']", "b"),
        date=("[id^=subject_] + .smalltext", ".smalltext"),
        thread=True,
        permalink=("[id^=subject_] a",),
    ),
    Engine(
        name="tumblr",
        signs=(b"with_commentary",),
        comment="li.note.with_commentary",
        text=("blockquote",),
        author=("a.tumblelog", ".action a"),
        date=("time",),
        permalink=("blockquote a",),
    ),
    Engine(
        name="blogger",
        signs=(b"comment-footer", b"comment-author"),
        comment="#comments-block dt",
        text=(".comment-body",),
        author=(".comment-author a[href]", ".comment-author"),
        date=(".comment-timestamp", ".comment-footer"),
        junk=".comment-icon, .interaction-iframe-guide",
        article=(".post-body",),
        beside="after",
        permalink=(".comment-timestamp a",),
    ),
    Engine(
        name="disqus",
        signs=(b"post-message",),
        comment="li.post",
        text=(".post-message",),
        author=(".post-byline .author", ".author"),
        date=("a.time-ago", ".time-ago"),
        permalink=("a.time-ago",),
    ),
)

# Engines whose comments bear the same class as those of WordPress: told apart by their signs alone.
BLOGS: tuple[Engine, ...] = (
    Engine(
        name="substack",
        signs=(b"substack",),
        comment="div.comment",
        text=(".comment-body",),
        author=(".commenter-name", ".highlight-name", *_AUTHOR),
        date=("a.comment-timestamp", ".comment-timestamp", *_DATE),
        junk=_JUNK,
        article=(".available-content .body.markup", ".body.markup"),
        permalink=("a.comment-timestamp",),
    ),
    Engine(
        name="blogger",
        signs=(b"blogger.com",),
        comment="#comments li.comment",
        text=(".comment-content",),
        author=("cite.user", "cite"),
        date=(".datetime",),
        article=(".post-body",),
        permalink=(".datetime a",),
    ),
    Engine(
        name="lobsters",
        signs=(b"story_liner",),
        comment="div.comment[data-shortid], div.comment[id^=c_]",
        holder=1,
        text=(".comment_text",),
        author=(".byline a[href*='/~']", ".byline a[href*='/u/']", ".byline a:not([class])"),
        date=("time", ".byline span[title]"),
        article=(".story_content .story_text", ".story_text"),
        permalink=(".byline a[href*='/c/']", ".byline a[href*='#c_']"),
    ),
    Engine(
        name="slashdot",
        signs=(b"commentBody", b"commentlisting"),
        comment="li.comment",
        text=(".commentBody",),
        author=(".by a", ".by"),
        date=(".otherdetails",),
        junk=".sig, .quote-sig",
        article=(".fhitem-story .body .p", "article .body .p"),
        permalink=(".otherdetails a",),
    ),
    Engine(
        name="drupal",
        signs=(b"field-name-comment-body", b"field--name-comment-body", b"comment__content", b"Drupal"),
        comment="article.comment, div.comment",
        text=(".field--name-comment-body", ".field-name-comment-body", ".comment__content .content", ".content"),
        author=(".comment__author .username", ".username", ".submitted .username", ".submitted", *_AUTHOR),
        date=(".comment__time", ".submitted time", "time", ".submitted", "[class*=date]"),
        junk="ul.links, .comment__links, footer, .user-signature, h3, .indented",
        permalink=("a.permalink", "h3 a", "a[href*='#comment-']"),
    ),
    Engine(
        name="typepad",
        signs=(b"typepad", b"movabletype", b"Movable Type", b'p class="comment-footer"'),
        comment="div.comment[id^=comment-], div.comment",
        text=(".comment-content", ".comment-body"),
        author=(
            ".comment-footer .commenter-name",
            ".byline .author",
            ".byline",
            ".comment-footer a",
            ".comment-footer",
            *_AUTHOR,
        ),
        date=(".published", ".comment-footer a[href*='#comment']", "abbr", ".comment-footer"),
        junk=".comment-footer, .comment-header",
        permalink=("a[href*='#comment']",),
    ),
)

# Their first sign is sure, and finding it costs less than searching the page for the elements of all forums.
_SURE = ("stackexchange", "discourse", "xenforo")
#: Forums that are tried before all others, as most threads on the web are theirs.
FREQUENT = tuple(engine for engine in FORUMS if engine.name in _SURE)
