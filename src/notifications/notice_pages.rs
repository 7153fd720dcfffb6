//! Pages about being told: the own notices, how one wants to be told, and what every mail looks like.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::json;

use super::catalogue::{MailChoice, Topic};
use super::html::html;
use super::notice_store::{self, NoticeRow};
use super::outgoing::PREFERENCES_PATH;
use super::service::brand;
use super::template::{RenderedMail, render, samples};
use crate::app::App;
use crate::auth::policy::{ManageNotifications, Permission as _};
use crate::auth::principal::Principal;
use crate::db::Conn;
use crate::error::{Error, ErrorCode, Locale};
use crate::http::public::{Call, Done};
use crate::http::{Audit, ListQuery};
use crate::web::layout::Page;
use crate::web::session;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/notices", web::get().to(notices))
        .route(PREFERENCES_PATH, web::get().to(preferences))
        .route(PREFERENCES_PATH, web::post().to(choose))
        .route("/notification-templates", web::get().to(templates))
        .route("/notification-templates/{number}", web::get().to(template_html));
}

fn to_sign_in() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/sign-in")).finish()
}

type SignedIn<T> = Option<(Principal, String, T)>;

/// What a page needs of the database, for who is signed in.
async fn load<T: Send + 'static>(
    app: &web::Data<App>,
    request: &HttpRequest,
    work: impl Fn(&mut Conn, &Principal) -> Result<T, Error> + Send + 'static,
) -> Result<SignedIn<T>, Error> {
    let call = Call::new(Arc::clone(app), request);
    let cookie = session::value(request, app);
    call.read(move |conn, call| {
        let Some((principal, csrf)) = session::signed_in(conn, cookie.as_deref(), call.now)? else { return Ok(None) };
        let found = work(conn, &principal)?;
        Ok(Some((principal, csrf, found)))
    })
    .await
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>お知らせ</h1>
<p>新しい順に{{ rows.len() }}件です。<a href="/notification-preferences">受け取り方を決める</a></p>
{% if rows.is_empty() %}<p>お知らせはありません。</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="お知らせ"><table><thead><tr><th scope="col">日時</th><th scope="col">内容</th><th scope="col">種類</th><th scope="col">状態</th></tr></thead><tbody>
{% for row in rows %}<tr><td>{{ crate::calendar::wareki(row.created_at.jst_day()) }} {{ row.created_at.jst().format("%H:%M") }}</td><td>{% if let Some(path) = row.path %}<a href="{{ path }}">{{ row.title }}</a>{% else %}{{ row.title }}{% endif %}</td><td>{{ row.kind.topic().label_ja() }}</td><td>{% if row.read_at.is_some() %}既読{% else %}未読{% endif %}</td></tr>{% endfor %}
</tbody></table></div>{% endif %}"#
)]
struct Notices {
    rows: Vec<NoticeRow>,
}

async fn notices(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let found = load(&app, &request, |conn, principal| match principal.user_id() {
        Some(user) => {
            let page = ListQuery::new(Some(100), None, &"notices")?;
            Ok(page.page(notice_store::list(conn, user, None, &page)?, |row| (String::new(), row.id.0)).items)
        }
        None => Ok(Vec::new()),
    })
    .await?;
    let Some((principal, csrf, rows)) = found else { return Ok(to_sign_in()) };
    Page::of("お知らせ", &principal, &csrf).render(&app, &Notices { rows })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>お知らせの受け取り方</h1>
{% if saved %}<div class="notice" role="status"><p>保存しました。</p></div>{% endif %}
<p>話題ごとに、メールの受け取り方を選べます。どれを選んでも、お知らせはこのサービスの中に残ります。まとめのメールは毎日{{ hour }}時に送ります。</p>
<form method="post" action="/notification-preferences">
<input type="hidden" name="csrf" value="{{ csrf }}">
{% for (topic, chosen) in topics %}<fieldset><legend>{{ topic.label_ja() }}</legend>
{% for choice in MailChoice::ALL %}<label><input type="radio" name="{{ topic }}" value="{{ choice }}"{% if choice == chosen %} checked{% endif %}> {{ choice.label_ja() }}</label> {% endfor %}
</fieldset>{% endfor %}
<p>打診など、期日までに返事が要るものは、選択にかかわらずメールでお送りします。</p>
<p class="actions"><button type="submit">保存する</button></p>
</form>"#
)]
struct Preferences {
    saved: bool,
    hour: u8,
    csrf: String,
    topics: Vec<(Topic, MailChoice)>,
}

async fn preferences(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let found = load(&app, &request, |conn, principal| match principal.user_id() {
        Some(user) => notice_store::choices_of(conn, user),
        None => Ok(BTreeMap::new()),
    })
    .await?;
    let Some((principal, csrf, chosen)) = found else { return Ok(to_sign_in()) };
    let content = Preferences {
        saved: request.query_string() == "saved=1",
        hour: app.config.mail.digest_hour,
        csrf: csrf.clone(),
        topics: Topic::ALL.iter().map(|topic| (*topic, chosen.get(topic).copied().unwrap_or(MailChoice::Immediate))).collect(),
    };
    Page::of("お知らせの受け取り方", &principal, &csrf).render(&app, &content)
}

async fn choose(
    app: web::Data<App>,
    request: HttpRequest,
    typed: web::Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let Some(cookie) = session::value(&request, &app) else { return Ok(to_sign_in()) };
    if typed.get("csrf").map(String::as_str) != Some(session::csrf(&cookie).as_str()) {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    let mut chosen = BTreeMap::new();
    for topic in Topic::ALL {
        if let Some(choice) = typed.get(topic.as_str()) {
            let choice: MailChoice = choice.parse().map_err(|_| Error::new(ErrorCode::MalformedRequest))?;
            chosen.insert(*topic, choice);
        }
    }
    let call = Call::new(Arc::clone(&app), &request);
    let done = call
        .write(move |conn, call| {
            let Some((principal, _)) = session::signed_in(conn, Some(&cookie), call.now)? else {
                return Ok(Done::nothing(false));
            };
            let Some(user) = principal.user_id() else { return Ok(Done::nothing(false)) };
            let before = notice_store::choices_of(conn, user)?;
            notice_store::choose(conn, user, &chosen, call.now)?;
            let audit = Audit::new("user", user.0, principal.organisation_id)
                .change(json!({"notification_preferences": before}), json!({"notification_preferences": chosen}));
            Ok(Done::with(true, call.ctx(principal), audit))
        })
        .await?;
    if !done {
        return Ok(to_sign_in());
    }
    let place = format!("{PREFERENCES_PATH}?saved=1");
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish())
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>メールの見本</h1>
<p>送信するメールを、架空の内容で{{ mails.len() }}通示します。{% if english %}<a href="/notification-templates">日本語で見る</a>{% else %}<a href="/notification-templates?language=en">英語で見る</a>{% endif %}</p>
{% for (number, mail) in mails %}<article class="mail" aria-labelledby="mail-{{ number }}">
<h2 id="mail-{{ number }}"{% if english %} lang="en"{% endif %}>{{ mail.subject }}</h2>
<pre tabindex="0"{% if english %} lang="en"{% endif %}>{{ mail.text }}</pre>
<p><a href="/notification-templates/{{ number }}{% if english %}?language=en{% endif %}">HTML形式の見え方（{{ mail.title }}）</a></p>
</article>{% endfor %}"#
)]
struct Templates {
    english: bool,
    mails: Vec<(usize, RenderedMail)>,
}

fn language(request: &HttpRequest) -> Locale {
    if request.query_string() == "language=en" { Locale::En } else { Locale::Ja }
}

/// The office alone sees how it writes.
fn office(_: &mut Conn, principal: &Principal) -> Result<(), Error> {
    principal.require(&ManageNotifications::INFO)
}

async fn templates(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let Some((principal, csrf, ())) = load(&app, &request, office).await? else { return Ok(to_sign_in()) };
    let locale = language(&request);
    let brand = brand(&app);
    let mails = samples().iter().map(|notice| render(notice, locale, &brand)).enumerate().collect();
    Page::of("メールの見本", &principal, &csrf).render(&app, &Templates { english: locale == Locale::En, mails })
}

async fn template_html(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    if load(&app, &request, office).await?.is_none() {
        return Ok(to_sign_in());
    }
    let number: usize = request.match_info().get("number").and_then(|text| text.parse().ok()).ok_or_else(Error::not_found)?;
    let notice = samples().into_iter().nth(number).ok_or_else(Error::not_found)?;
    let locale = language(&request);
    let brand = brand(&app);
    let mail = render(&notice, locale, &brand);
    // A mail has its style in its elements; this page, and no other, allows that. It runs nothing.
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"))
        .content_type("text/html; charset=utf-8")
        .body(html(&mail.subject, &mail.text, locale, &brand.base_url)))
}
