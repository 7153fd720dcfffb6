//! The one layout of all pages.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::assets;
use crate::app::App;
use crate::auth::principal::Principal;
use crate::error::Error;

/// What surrounds a page's own content.
#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} | {{ service }}</title>
<link rel="stylesheet" href="{{ style }}">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#main">本文へ</a>
<header class="top">
<a class="name" href="/">{{ service }}</a>
{% if demo %}<span>デモ（データは架空のものです）</span>{% endif %}
{% if let Some(who) = who %}<span class="who">{{ who.organisation_name }}　{{ who.name }}さん（{{ who.role.label_ja() }}）
<form method="post" action="/sign-out"><input type="hidden" name="csrf" value="{{ csrf }}"><button class="quiet">サインアウト</button></form></span>{% endif %}
</header>
{% if who.is_some() || demo %}<nav class="main" aria-label="主なページ"><ul>
{% if who.is_some() %}<li><a href="/">概要</a></li><li><a href="/notices">お知らせ</a></li>{% else %}<li><a href="/sign-in">サインイン</a></li>{% endif %}
{% if demo %}<li><a href="/mailbox">メール（デモ）</a></li>{% endif %}
<li><a href="/docs/">API</a></li>
</ul></nav>{% endif %}
<main id="main"{% if narrow %} class="narrow"{% endif %}>
{{ content|safe }}
</main>
<footer>{{ service }}　自治体間で専門人材を共有するサービス</footer>
</body>
</html>
"##
)]
struct Layout<'a> {
    title: &'a str,
    service: &'a str,
    style: &'a str,
    demo: bool,
    who: Option<&'a Principal>,
    csrf: &'a str,
    narrow: bool,
    content: String,
}

/// A page on its way out.
pub struct Page<'a> {
    /// Title, also the heading of the browser's tab.
    pub title: &'a str,
    /// Who is signed in, with the value that protects forms.
    pub who: Option<(&'a Principal, &'a str)>,
    /// Forms read better in a narrow column.
    pub narrow: bool,
    /// Status of the answer.
    pub status: StatusCode,
}

impl<'a> Page<'a> {
    /// A page for everybody.
    pub fn open(title: &'a str) -> Self {
        Self { title, who: None, narrow: true, status: StatusCode::OK }
    }

    /// A page for somebody who is signed in.
    pub fn of(title: &'a str, principal: &'a Principal, csrf: &'a str) -> Self {
        Self { title, who: Some((principal, csrf)), narrow: false, status: StatusCode::OK }
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Renders the content inside the layout.
    pub fn render(self, app: &App, content: &impl Template) -> Result<HttpResponse, Error> {
        let html = Layout {
            title: self.title,
            service: &app.config.service_name,
            style: &assets::STYLE.path,
            demo: app.demo,
            who: self.who.map(|(principal, _)| principal),
            csrf: self.who.map_or("", |(_, csrf)| csrf),
            narrow: self.narrow,
            content: content.render().map_err(Error::internal)?,
        }
        .render()
        .map_err(Error::internal)?;
        Ok(HttpResponse::build(self.status).content_type("text/html; charset=utf-8").body(html))
    }
}

/// A short message as a page.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ heading }}</h1><p>{{ text }}</p>{% if let Some((href, label)) = link %}<p class="actions"><a class="button" href="{{ href }}">{{ label }}</a></p>{% endif %}"#
)]
pub struct Message<'a> {
    /// Heading.
    pub heading: &'a str,
    /// One paragraph.
    pub text: &'a str,
    /// Where to go next.
    pub link: Option<(&'a str, &'a str)>,
}
