//! The one layout of all pages.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::shape::SHAPE;
use super::tongue::Tongue;
use super::{assets, nav};
use crate::app::App;
use crate::auth::principal::Principal;
use crate::error::Error;

/// What surrounds a page's own content.
#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!DOCTYPE html>
<html lang="{{ tongue.code() }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} | {{ service }}</title>
<link rel="stylesheet" href="{{ assets::STYLE.path }}">
<link rel="icon" href="{{ assets::ICON.path }}" type="image/svg+xml">
<script src="{{ assets::SCRIPT.path }}" defer></script>
</head>
<body{% if let Some(around) = around %} data-person="{{ around.person() }}" data-idle="{{ idle_minutes }}"{% endif %}>
<a class="skip" href="#main">{{ tongue.t("本文へ", "Skip to content") }}</a>
<header class="top">
<a class="name" href="/">{{ service }}</a>
{% if demo %}<span class="tag">{{ tongue.t("デモ（データは架空のものです）", "Demo (the data are fictitious)") }}</span>{% endif %}
<div class="who">
{% if let Some(around) = around %}<span><span class="body">{{ around.principal.organisation_name }}</span> <strong>{{ around.principal.name }}</strong>{{ tongue.t("さん", "") }} <span class="role">{{ tongue.t(around.principal.role.label_ja(), around.principal.role.as_str()) }}</span></span>
<a href="/notices">{{ tongue.t("お知らせ", "Notices") }}{% if around.unread > 0 %} <span class="count">{{ tongue.t("未読", "unread ") }}{{ around.unread }}</span>{% endif %}</a>
<a href="/account">{{ tongue.t("アカウント", "Account") }}</a>
<form method="post" action="/sign-out"><input type="hidden" name="csrf" value="{{ around.csrf }}"><button class="quiet">{{ tongue.t("サインアウト", "Sign out") }}</button></form>
{% endif %}{% if let Some(back) = back %}<form method="post" action="/language"><input type="hidden" name="to" value="{{ tongue.t("en", "ja") }}"><input type="hidden" name="back" value="{{ back }}"><button class="quiet" lang="{{ tongue.t("en", "ja") }}">{{ tongue.t("English", "日本語") }}</button></form>{% endif %}
</div>
</header>
<nav class="main" aria-label="{{ tongue.t("主なページ", "Main pages") }}"><ul>
{% if let Some(around) = around %}{% for entry in nav::line(around.principal) %}<li><a href="{{ entry.path }}"{% if nav::is_here(entry, place) %} aria-current="page"{% endif %}>{{ entry.label(*tongue) }}</a></li>{% endfor %}
<li><a href="/menu"{% if place == "/menu" %} aria-current="page"{% endif %}>{{ tongue.t("すべてのページ", "All pages") }}</a></li>{% else %}<li><a href="/sign-in">{{ tongue.t("サインイン", "Sign in") }}</a></li>{% endif %}
{% if demo %}<li><a href="/mailbox">{{ tongue.t("メール（デモ）", "Mail (demo)") }}</a></li>{% endif %}
</ul></nav>
<main id="main"{% if narrow %} class="narrow"{% endif %}>
{% if let Some(done) = done %}<div class="notice good" role="status"><p>{{ done }}</p></div>{% endif %}
{{ content|safe }}
</main>
<footer><p>{{ service }}{{ tongue.t("　自治体間で専門人材を共有するサービス", ": experts shared between municipalities") }}</p>
<ul><li><a href="/about">{{ tongue.t("このサービスについて", "About") }}</a></li><li><a href="/accessibility">{{ tongue.t("アクセシビリティ", "Accessibility") }}</a></li><li><a href="/docs/">API</a></li></ul></footer>
</body>
</html>
"##
)]
struct Whole<'a> {
    title: &'a str,
    service: &'a str,
    demo: bool,
    tongue: Tongue,
    around: Option<&'a Around<'a>>,
    place: &'a str,
    /// Where the choice of language leads back to; there is none where the page has one language, or text would be lost.
    back: Option<&'a str>,
    idle_minutes: i64,
    narrow: bool,
    done: Option<String>,
    content: String,
}

/// Who looks at a page.
pub struct Around<'a> {
    /// Who is signed in.
    pub principal: &'a Principal,
    /// The value that protects forms.
    pub csrf: &'a str,
    /// Notices not read yet.
    pub unread: i64,
    /// The address of the page.
    pub place: &'a str,
}

impl Around<'_> {
    /// Whose text it is that the browser keeps while it is written.
    fn person(&self) -> String {
        self.principal.user_id().map(|user| user.to_string()).unwrap_or_default()
    }
}

/// A page on its way out.
pub struct Page<'a> {
    title: &'a str,
    tongue: Tongue,
    around: Option<&'a Around<'a>>,
    place: Option<&'a str>,
    narrow: bool,
    status: StatusCode,
}

impl<'a> Page<'a> {
    /// A page for everybody, in Japanese.
    pub fn open(title: &'a str) -> Self {
        Self::outside(title, Tongue::default()).narrow(true)
    }

    /// A page for everybody.
    pub fn outside(title: &'a str, tongue: Tongue) -> Self {
        Self { title, tongue, around: None, place: None, narrow: false, status: StatusCode::OK }
    }

    /// A page for somebody who is signed in.
    pub fn inside(title: &'a str, tongue: Tongue, around: &'a Around<'a>) -> Self {
        Self { title, tongue, around: Some(around), place: Some(around.place), narrow: false, status: StatusCode::OK }
    }

    /// Where it is, so that it can be read in the other language.
    #[must_use]
    pub fn at(mut self, place: &'a str) -> Self {
        self.place = Some(place);
        self
    }

    /// Forms and texts read better in a narrow column.
    #[must_use]
    pub fn narrow(mut self, narrow: bool) -> Self {
        self.narrow = narrow;
        self
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Renders the content inside the layout.
    pub fn render(self, app: &App, content: &impl Template) -> Result<HttpResponse, Error> {
        let place = self.around.map_or("/", |around| around.place);
        // What failed has not been done, whatever the address says.
        let done = if self.status == StatusCode::OK { done(place, self.tongue) } else { None };
        let html = Whole {
            title: self.title,
            service: &app.config.service_name,
            demo: app.demo,
            tongue: self.tongue,
            around: self.around,
            place,
            back: self.place,
            idle_minutes: app.config.auth.idle_minutes,
            narrow: self.narrow,
            done,
            content: content.render().map_err(Error::internal)?,
        }
        .render()
        .map_err(Error::internal)?;
        Ok(HttpResponse::build(self.status).content_type("text/html; charset=utf-8").body(html))
    }
}

/// What a form that led here has done, in the words of the API document.
fn done(place: &str, tongue: Tongue) -> Option<String> {
    let (_, query) = place.split_once('?')?;
    let id = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?.1;
    if id == "saved" {
        return Some(tongue.t("保存しました。", "Saved.").to_owned());
    }
    let operation = SHAPE.operation(&id)?;
    let label = operation.label(tongue);
    Some(if tongue.english() { format!("Done: {label}.") } else { format!("完了しました：{label}") })
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
