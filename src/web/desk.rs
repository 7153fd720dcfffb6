//! Pages that belong to no area: the menu, the choice of language, what the service says about itself.

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::bridge::is_local;
use super::layout::Page as Layout;
use super::nav::{self, Entry};
use super::page::{Page, Sheet};
use super::session;
use super::tongue::{COOKIE, Tongue};
use crate::app::App;
use crate::auth::policy::OwnAccount;
use crate::error::Error;

/// Registers the pages.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/menu", web::get().to(menu))
        .route("/language", web::post().to(language))
        .route("/about", web::get().to(about))
        .route("/accessibility", web::get().to(accessibility));
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("すべてのページ", "All pages") }}</h1>
<div class="parts">{% for (part, entries) in parts %}<section><h2>{{ part }}</h2><ul>{% for entry in entries %}<li><a href="{{ entry.path }}">{{ entry.label(*tongue) }}</a></li>{% endfor %}</ul></section>{% endfor %}</div>"#
)]
struct Menu {
    tongue: Tongue,
    parts: Vec<(&'static str, Vec<Entry>)>,
}

async fn menu(page: Page<OwnAccount>) -> Result<HttpResponse, Error> {
    page.show(|_, view| {
        let parts = nav::menu(&view.ctx.principal, view.tongue);
        Ok(Sheet::new(view.t("すべてのページ", "All pages"), Menu { tongue: view.tongue, parts }))
    })
    .await
}

#[derive(serde::Deserialize)]
struct Choice {
    to: String,
    back: Option<String>,
}

async fn language(app: web::Data<App>, request: HttpRequest, typed: web::Form<Choice>) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let to = if typed.to == "en" { "en" } else { "ja" };
    let back = typed.into_inner().back.filter(|place| is_local(place)).unwrap_or_else(|| "/".to_owned());
    let cookie = Cookie::build(COOKIE, to)
        .path("/")
        .same_site(SameSite::Lax)
        .http_only(true)
        .secure(app.config.base_url.starts_with("https://"))
        .max_age(time::Duration::days(365))
        .finish();
    let mut response = HttpResponse::SeeOther().insert_header((header::LOCATION, back)).finish();
    response.add_cookie(&cookie).map_err(Error::internal)?;
    Ok(response)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("このサービスについて", "About this service") }}</h1>
<p>{{ tongue.t("都道府県や協議会が登録した専門人材を、市町村が分け合って活用するためのサービスです。申請、調整、派遣、報告、費用の分担、集計を、一つの場所で行えます。", "Through this service municipalities share the experts that prefectures and councils register: requests, matching, dispatches, reports, cost shares and counts in one place.") }}</p>
<h2>{{ tongue.t("使っているもの", "What it uses") }}</h2>
<p>{{ tongue.t("画面の色・間隔・部品の考え方は、デジタル庁デザインシステム（コードとデザイントークンはMITライセンス、", "Colours, spacing and patterns follow the Digital Agency Design System (code and tokens under the MIT licence, ") }}<span class="address">https://design.digital.go.jp/</span>{{ tongue.t("）を参考にし、本サービスのために改めて作りました。デジタル庁が作成したものではありません。", "), made anew for this service. It was not made by the Digital Agency.") }}</p>
<p>{{ tongue.t("このサービスは、外部のサイトから何も読み込まず、利用状況を外部へ送りません。", "This service loads nothing from other sites and sends nothing about its use to anybody.") }}</p>"##
)]
struct About {
    tongue: Tongue,
}

async fn about(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let tongue = Tongue::of(&request);
    Layout::outside(tongue.t("このサービスについて", "About"), tongue).narrow(true).at("/about").render(&app, &About { tongue })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("アクセシビリティ", "Accessibility") }}</h1>
<p>{{ tongue.t("JIS X 8341-3:2016（WCAG 2.0）の適合レベルAAと、WCAG 2.2のレベルAAを目標にしています。", "We aim at level AA of JIS X 8341-3:2016 (WCAG 2.0) and of WCAG 2.2.") }}</p>
<ul>
<li>{{ tongue.t("すべての操作は、キーボードだけで、JavaScriptなしでもできます。", "Everything can be done with the keyboard alone, and without JavaScript.") }}</li>
<li>{{ tongue.t("400%に拡大しても、横に送らずに読めます（表の中を除きます）。", "At 400 % zoom pages reflow without sideways scrolling (except within tables).") }}</li>
<li>{{ tongue.t("図には、同じ数字の表を添えています。色だけで意味を表しません。", "Every chart comes with a table of its figures; colour alone never carries meaning.") }}</li>
<li>{{ tongue.t("主なページは、変更のたびにaxe-coreで検査し、違反0件を確かめています。利用者による試験は、運用団体が行い結果を公表します。", "Main pages are checked with axe-core at each change: no violations. Tests with users are made and published by the operator.") }}</li>
</ul>
<p>{{ tongue.t("使いにくいところがあれば、事務局へお知らせください。", "Tell the office what is hard to use.") }}</p>"#
)]
struct Accessibility {
    tongue: Tongue,
}

async fn accessibility(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let tongue = Tongue::of(&request);
    Layout::outside(tongue.t("アクセシビリティ", "Accessibility"), tongue)
        .narrow(true)
        .at("/accessibility")
        .render(&app, &Accessibility { tongue })
}
