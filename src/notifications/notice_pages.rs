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
use crate::auth::policy::{ManageNotifications, Permission as _, ReadNotices};
use crate::error::{Error, ErrorCode, Locale};
use crate::http::public::{Call, Done};
use crate::http::{Audit, ListQuery};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, to_sign_in};
use crate::web::session;
use crate::web::tongue::Tongue;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/notices", web::get().to(notices))
        .route(PREFERENCES_PATH, web::get().to(preferences))
        .route(PREFERENCES_PATH, web::post().to(choose))
        .route("/notification-templates", web::get().to(templates))
        .route("/notification-templates/{number}", web::get().to(template_html));
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("お知らせ", "Notices") }}</h1>
<p><a href="/notification-preferences">{{ tongue.t("受け取り方を決める", "Choose how to be told") }}</a></p>
{% if rows.is_empty() %}<p>{{ tongue.t("お知らせはありません。", "There are no notices.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("お知らせ", "Notices") }}"><table><thead><tr><th scope="col">{{ tongue.t("日時", "When") }}</th><th scope="col">{{ tongue.t("内容", "What") }}</th><th scope="col">{{ tongue.t("種類", "Kind") }}</th><th scope="col">{{ tongue.t("状態", "State") }}</th></tr></thead><tbody>
{% for row in rows %}<tr{% if row.read_at.is_none() %} class="fresh"{% endif %}><td>{{ tongue.instant(*row.created_at) }}</td><td>{% if let Some(path) = row.path %}<a href="{{ path }}">{{ row.title }}</a>{% else %}{{ row.title }}{% endif %}</td><td>{{ tongue.t(row.kind.topic().label_ja(), row.kind.topic().as_str()) }}</td><td>{% if row.read_at.is_some() %}{{ tongue.t("既読", "read") }}{% else %}{{ tongue.t("未読", "unread") }}{% endif %}</td></tr>{% endfor %}
</tbody></table></div>{% if let Some(next) = next %}<p class="actions"><a class="button plain" href="{{ next }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a></p>{% endif %}{{ read_all|safe }}{% endif %}"#
)]
struct Notices {
    tongue: Tongue,
    rows: Vec<NoticeRow>,
    next: Option<String>,
    read_all: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Paging {
    cursor: Option<String>,
}

async fn notices(page: Page<ReadNotices>) -> Result<HttpResponse, Error> {
    let asked: Paging = page.query()?;
    page.show(move |conn, view| {
        let user = view.ctx.principal.user_id().ok_or_else(Error::not_found)?;
        let list = ListQuery::new(Some(100), asked.cursor.as_deref(), &"notices")?;
        let found = list.page(notice_store::list(conn, user, None, &list)?, |row| (String::new(), row.id.0));
        let (rows, next) = (found.items, found.next_cursor.map(|cursor| format!("/notices?cursor={cursor}")));
        let read_all = match rows.first() {
            Some(newest) if rows.iter().any(|row| row.read_at.is_none()) => {
                let form = Form::new(view, "read_notices", "/notices/read", json!({}), Choices::default())?;
                format!(
                    "{}{}{}",
                    form.open(),
                    form.fixed("up_to", newest.id),
                    form.close(view.t("すべて既読にする", "Mark all as read"))
                )
            }
            _ => String::new(),
        };
        Ok(Sheet::new(view.t("お知らせ", "Notices"), Notices { tongue: view.tongue, rows, next, read_all }))
    })
    .await
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>お知らせの受け取り方</h1>
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
    hour: u8,
    csrf: String,
    topics: Vec<(Topic, MailChoice)>,
}

async fn preferences(page: Page<ReadNotices>) -> Result<HttpResponse, Error> {
    page.show(|conn, view| {
        let user = view.ctx.principal.user_id().ok_or_else(Error::not_found)?;
        let chosen = notice_store::choices_of(conn, user)?;
        let content = Preferences {
            hour: view.ctx.app.config.mail.digest_hour,
            csrf: view.csrf.clone(),
            topics: Topic::ALL
                .iter()
                .map(|topic| (*topic, chosen.get(topic).copied().unwrap_or(MailChoice::Immediate)))
                .collect(),
        };
        Ok(Sheet::new("お知らせの受け取り方", content).narrow())
    })
    .await
}

async fn choose(
    app: web::Data<App>,
    request: HttpRequest,
    typed: web::Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let Some(cookie) = session::value(&request, &app) else { return Ok(to_sign_in(PREFERENCES_PATH)) };
    let csrf = typed.get("csrf").cloned().unwrap_or_default();
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
            let Some(signed_in) = session::signed_in(conn, Some(&cookie), &call.app, call.now)? else {
                return Ok(Done::nothing(false));
            };
            let principal = signed_in.principal;
            if csrf != signed_in.csrf {
                return Err(Error::new(ErrorCode::Forbidden));
            }
            principal.require(&ReadNotices::INFO)?;
            let Some(user) = principal.user_id() else { return Ok(Done::nothing(false)) };
            let before = notice_store::choices_of(conn, user)?;
            notice_store::choose(conn, user, &chosen, call.now)?;
            let audit = Audit::new("user", user.0, principal.organisation_id)
                .change(json!({"notification_preferences": before}), json!({"notification_preferences": chosen}));
            Ok(Done::with(true, call.ctx(principal), audit))
        })
        .await?;
    if !done {
        return Ok(to_sign_in(PREFERENCES_PATH));
    }
    let place = format!("{PREFERENCES_PATH}?done=saved");
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

async fn templates(page: Page<ManageNotifications>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let locale = language(&request);
    page.show(move |_, view| {
        let brand = brand(&view.ctx.app);
        let mails = samples().iter().map(|notice| render(notice, locale, &brand)).enumerate().collect();
        Ok(Sheet::new("メールの見本", Templates { english: locale == Locale::En, mails }))
    })
    .await
}

async fn template_html(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let call = Call::new(Arc::clone(&app), &request);
    let cookie = session::value(&request, &app);
    let office = call
        .read(move |conn, call| match session::signed_in(conn, cookie.as_deref(), &call.app, call.now)? {
            Some(signed_in) => signed_in.principal.require(&ManageNotifications::INFO).map(|()| true),
            None => Ok(false),
        })
        .await?;
    if !office {
        return Ok(to_sign_in("/notification-templates"));
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
