//! Pages for signing in and out and for choosing a password by a mailed link.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use secrecy::SecretString;
use serde_json::json;

use super::sessions::{self, Carrier};
use super::views::{AcceptInvitationBody, RequestPasswordResetBody, ResetPasswordBody};
use super::{principal, service};
use crate::app::App;
use crate::error::{Error, ErrorCode, Locale};
use crate::http::Audit;
use crate::http::public::{Call, Done};
use crate::web::bridge::is_local;
use crate::web::layout::{Message, Page};
use crate::web::session;
use crate::web::tongue::Tongue;

/// Most bytes of what somebody signs in with: what was typed before the session ended comes along, written twice as a form
/// writes it.
const MOST_TYPED: usize = 8 * 1024 * 1024;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/sign-in")
                .app_data(web::FormConfig::default().limit(MOST_TYPED))
                .route(web::get().to(show_sign_in))
                .route(web::post().to(sign_in)),
        )
        .route("/sign-out", web::post().to(sign_out))
        .configure(super::account_pages::configure)
        .route("/invitations", web::get().to(show_invitation))
        .route("/invitations", web::post().to(accept_invitation))
        .route("/forgotten-password", web::get().to(show_forgotten))
        .route("/forgotten-password", web::post().to(forgotten))
        .route("/password-reset", web::get().to(show_reset))
        .route("/password-reset", web::post().to(reset));
}

type Typed = web::Form<HashMap<String, String>>;

fn text(typed: &HashMap<String, String>, name: &str) -> String {
    typed.get(name).cloned().unwrap_or_default()
}

fn go(place: &'static str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish()
}

fn words(error: &Error, tongue: Tongue) -> Vec<String> {
    if error.fields.is_empty() {
        vec![error.problem(tongue.0, None, None).detail]
    } else {
        error.fields.iter().map(|field| tongue.words(&field.detail).to_owned()).collect()
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("サインイン", "Sign in") }}</h1>
{% if !problems.is_empty() %}<div class="notice bad" role="alert"><h2>{% if refused %}{{ tongue.t("サインインできませんでした", "Not signed in") }}{% else %}{{ tongue.t("サインインが必要です", "Sign-in is needed") }}{% endif %}</h2><ul>{% for problem in problems %}<li>{{ problem }}</li>{% endfor %}</ul></div>{% endif %}
<form method="post" action="/sign-in">
{% if !next.is_empty() %}<input type="hidden" name="next" value="{{ next }}">{% endif %}
{% if !pending.is_empty() %}<input type="hidden" name="pending" value="{{ pending }}">{% endif %}
<label for="email">{{ tongue.t("メールアドレス", "Mail address") }}</label><input id="email" type="email" name="email" value="{{ email }}" autocomplete="username" required>
<label for="password">{{ tongue.t("パスワード", "Password") }}</label><input id="password" type="password" name="password" autocomplete="current-password" required>
<p class="actions"><button type="submit">{{ tongue.t("サインイン", "Sign in") }}</button></p>
</form>
<p><a href="/forgotten-password">{{ tongue.t("パスワードを忘れたとき", "Forgotten password") }}</a></p>"#
)]
struct SignInPage {
    tongue: Tongue,
    refused: bool,
    problems: Vec<String>,
    email: String,
    next: String,
    pending: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("確認コードの入力", "Second step") }}</h1>
{% if !problems.is_empty() %}<div class="notice bad" role="alert"><h2>{{ tongue.t("サインインできませんでした", "Not signed in") }}</h2><ul>{% for problem in problems %}<li>{{ problem }}</li>{% endfor %}</ul></div>{% endif %}
<form method="post" action="/sign-in">
<input type="hidden" name="challenge" value="{{ challenge }}">
{% if !next.is_empty() %}<input type="hidden" name="next" value="{{ next }}">{% endif %}
{% if !pending.is_empty() %}<input type="hidden" name="pending" value="{{ pending }}">{% endif %}
<label for="code">{{ tongue.t("確認コード", "Code") }}</label>
<p class="hint" id="code-help">{{ tongue.t("認証アプリに表示されている6桁の数字を入力してください。使えないときは、控えておいた回復コードを入力してください。", "The six digits your authenticator shows, or one of your recovery codes.") }}</p>
<input id="code" type="text" name="code" inputmode="text" autocomplete="one-time-code" aria-describedby="code-help" required>
<p class="actions"><button type="submit">{{ tongue.t("サインイン", "Sign in") }}</button></p>
</form>
<p><a href="/sign-in">{{ tongue.t("はじめからやり直す", "Start again") }}</a></p>"#
)]
struct CodePage {
    tongue: Tongue,
    problems: Vec<String>,
    challenge: String,
    next: String,
    pending: String,
}

/// The page of somebody who has to sign in (again): `pending` is what they typed, as a form writes it.
pub fn ask_to_sign_in(app: &App, locale: Locale, problems: &[String], pending: &str) -> Result<HttpResponse, Error> {
    let tongue = Tongue(locale);
    let page = SignInPage {
        tongue,
        refused: false,
        problems: problems.to_vec(),
        email: String::new(),
        next: String::new(),
        pending: pending.to_owned(),
    };
    Page::outside(tongue.t("サインイン", "Sign in"), tongue).narrow(true).status(StatusCode::UNAUTHORIZED).render(app, &page)
}

#[derive(serde::Deserialize)]
struct SignInQuery {
    next: Option<String>,
}

async fn show_sign_in(app: web::Data<App>, request: HttpRequest, query: web::Query<SignInQuery>) -> Result<HttpResponse, Error> {
    let tongue = Tongue::of(&request);
    let next = query.into_inner().next.filter(|place| is_local(place)).unwrap_or_default();
    let page = SignInPage { tongue, refused: false, problems: Vec::new(), email: String::new(), next, pending: String::new() };
    let place = request.uri().to_string();
    Page::outside(tongue.t("サインイン", "Sign in"), tongue).narrow(true).at(&place).render(&app, &page)
}

/// Somebody is signed in again; what they had typed goes back to its page.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("サインインしました", "You are signed in") }}</h1>
<p>{{ tongue.t("入力した内容は残っています。入力の画面に戻って、もう一度送信してください。", "What you typed is kept. Go back to its page and send it again.") }}</p>
<form method="post" action="/resume">{% for (name, value) in fields %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% endfor %}
<p class="actions"><button type="submit">{{ tongue.t("入力の画面に戻る", "Back to what I typed") }}</button></p></form>"#
)]
struct Resume {
    tongue: Tongue,
    fields: Vec<(String, String)>,
}

/// What the pages of signing in send; anything else is not even kept while it is read.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct SignInForm {
    email: String,
    password: String,
    challenge: String,
    code: String,
    next: String,
    pending: String,
}

async fn sign_in(app: web::Data<App>, request: HttpRequest, typed: web::Form<SignInForm>) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let tongue = Tongue::of(&request);
    let SignInForm { email, password, challenge, code, next, pending } = typed.into_inner();
    let call = Call::new(Arc::clone(&app), &request);
    let password = SecretString::from(password);
    let opened = if challenge.is_empty() {
        service::open_session(&call, &email, &password, None, None, Carrier::Cookie).await
    } else {
        service::open_with_code(&call, &challenge, &code).await
    };
    match opened {
        Ok(signed_in) => {
            let mut response = if pending.is_empty() {
                HttpResponse::SeeOther()
                    .insert_header((header::LOCATION, if is_local(&next) { next } else { "/".to_owned() }))
                    .finish()
            } else {
                let fields = form_urlencoded::parse(pending.as_bytes())
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect();
                Page::outside(tongue.t("サインイン", "Sign in"), tongue).narrow(true).render(&app, &Resume { tongue, fields })?
            };
            let cookie = session::cookie(&app, &signed_in.opened.secret);
            response.add_cookie(&cookie).map_err(Error::internal)?;
            Ok(response)
        }
        Err(error) if error.code == ErrorCode::SecondFactorRequired => {
            let (challenge, problems) = if challenge.is_empty() {
                (service::challenge(&call, &email).await?, Vec::new())
            } else {
                (challenge, words(&error, tongue))
            };
            let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            let page = CodePage { tongue, problems, challenge, next, pending };
            Page::outside(tongue.t("確認コードの入力", "Second step"), tongue).narrow(true).status(status).render(&app, &page)
        }
        // Also when it could not be tried just now: what was typed before is kept.
        Err(error) if error.code.status().is_client_error() || error.code == ErrorCode::Unavailable => {
            let problems = if !challenge.is_empty() && error.code == ErrorCode::InvalidCredentials {
                let late = tongue.t(
                    "確認コードを入力できる時間が過ぎました。もう一度、メールアドレスとパスワードから入力してください。",
                    "The time for the code is over. Enter your mail address and password once more.",
                );
                vec![late.to_owned()]
            } else {
                words(&error, tongue)
            };
            let page = SignInPage { tongue, refused: true, problems, email, next, pending };
            let status = error.code.status();
            Page::outside(tongue.t("サインイン", "Sign in"), tongue).narrow(true).status(status).render(&app, &page)
        }
        Err(error) => Err(error),
    }
}

/// Ends the session. The cookie is not sent along by other sites, and nobody is harmed by being signed out: a page that was made
/// for an earlier session signs out all the same.
async fn sign_out(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let mut response = go("/sign-in");
    response.add_cookie(&session::removal(&app)).map_err(Error::internal)?;
    let Some(cookie) = session::value(&request, &app) else { return Ok(response) };
    let call = Call::new(Arc::clone(&app), &request);
    call.write(move |conn, call| {
        let used_since = sessions::used_since(&call.app, call.now);
        let Some(found) = sessions::of_cookie(conn, &cookie, used_since, call.now)? else { return Ok(Done::nothing(())) };
        let id = found.id;
        let principal = principal::of_session(conn, id, call.now);
        sessions::end(conn, id, "signed_out", call.now)?;
        // Whose membership has ended is signed out too, and has nothing left to keep an account of.
        let Ok(principal) = principal else { return Ok(Done::nothing(())) };
        let audit = Audit::new("session", id.0, principal.organisation_id).change(json!({"open": true}), json!({"open": false}));
        Ok(Done::with((), call.ctx(principal), audit))
    })
    .await?;
    Ok(response)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ heading }}</h1>
{% if !problems.is_empty() %}<div class="notice bad" role="alert"><h2>設定できませんでした</h2><ul>{% for problem in problems %}<li>{{ problem }}</li>{% endfor %}</ul></div>{% endif %}
<form method="post" action="{{ action }}">
<input type="hidden" name="token" value="{{ token }}">
<label for="password">新しいパスワード</label>
<p class="hint" id="password-hint">15文字以上。日本語や空白も使えます。文字の種類の決まりはありません。</p>
<input id="password" type="password" name="password" autocomplete="new-password" minlength="15" maxlength="256" aria-describedby="password-hint" required>
<p class="actions"><button type="submit">パスワードを設定する</button></p>
</form>
{% if !problems.is_empty() %}<p>リンクの期限が過ぎたときや、使い終わったときは、<a href="/forgotten-password">新しいリンクをメールで受け取る</a>ことができます。初めての方は、招待した担当者に、招待の送り直しをお願いしてください。</p>{% endif %}"#
)]
struct PasswordPage {
    heading: &'static str,
    action: &'static str,
    problems: Vec<String>,
    token: String,
}

#[derive(serde::Deserialize)]
struct TokenQuery {
    token: Option<String>,
}

const INVITATION: (&str, &str) = ("パスワードの設定", "/invitations");
const RESET: (&str, &str) = ("パスワードの再設定", "/password-reset");

fn password_page(
    app: &App,
    (heading, action): (&'static str, &'static str),
    token: String,
    problems: Vec<String>,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    Page::open(heading).status(status).render(app, &PasswordPage { heading, action, problems, token })
}

async fn show_invitation(app: web::Data<App>, query: web::Query<TokenQuery>) -> Result<HttpResponse, Error> {
    password_page(&app, INVITATION, query.into_inner().token.unwrap_or_default(), Vec::new(), StatusCode::OK)
}

async fn show_reset(app: web::Data<App>, query: web::Query<TokenQuery>) -> Result<HttpResponse, Error> {
    password_page(&app, RESET, query.into_inner().token.unwrap_or_default(), Vec::new(), StatusCode::OK)
}

fn password_set(
    app: &App,
    outcome: Result<(), Error>,
    page: (&'static str, &'static str),
    token: String,
) -> Result<HttpResponse, Error> {
    match outcome {
        Ok(()) => {
            let heading = "パスワードを設定しました";
            let message = Message {
                heading,
                text: "設定したパスワードでサインインしてください。",
                link: Some(("/sign-in", "サインインへ")),
            };
            Page::open(heading).render(app, &message)
        }
        Err(error) if error.code.status().is_client_error() => {
            password_page(app, page, token, words(&error, Tongue::default()), error.code.status())
        }
        Err(error) => Err(error),
    }
}

async fn accept_invitation(app: web::Data<App>, request: HttpRequest, typed: Typed) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let token = text(&typed, "token");
    let body =
        AcceptInvitationBody { token: SecretString::from(token.clone()), password: SecretString::from(text(&typed, "password")) };
    let outcome = service::accept_invitation(Call::new(Arc::clone(&app), &request), body).await.map(drop);
    password_set(&app, outcome, INVITATION, token)
}

async fn reset(app: web::Data<App>, request: HttpRequest, typed: Typed) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let token = text(&typed, "token");
    let body = ResetPasswordBody {
        token: SecretString::from(token.clone()),
        new_password: SecretString::from(text(&typed, "password")),
    };
    let outcome = service::reset_password(Call::new(Arc::clone(&app), &request), body).await.map(drop);
    password_set(&app, outcome, RESET, token)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>パスワードを忘れたとき</h1>
{% if !problems.is_empty() %}<div class="notice bad" role="alert"><h2>送信できませんでした</h2><ul>{% for problem in problems %}<li>{{ problem }}</li>{% endfor %}</ul></div>{% endif %}
<p>登録されているメールアドレスへ、再設定のリンクを送ります。</p>
<form method="post" action="/forgotten-password">
<label for="email">メールアドレス</label><input id="email" type="email" name="email" autocomplete="username" required>
<p class="actions"><button type="submit">リンクを送る</button></p>
</form>"#
)]
struct ForgottenPage {
    problems: Vec<String>,
}

async fn show_forgotten(app: web::Data<App>) -> Result<HttpResponse, Error> {
    Page::open("パスワードを忘れたとき").render(&app, &ForgottenPage { problems: Vec::new() })
}

async fn forgotten(app: web::Data<App>, request: HttpRequest, typed: Typed) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let body = RequestPasswordResetBody { email: text(&typed, "email") };
    match service::request_reset(Call::new(Arc::clone(&app), &request), body).await {
        Ok(()) => {
            let heading = "受け付けました";
            let text = "登録されているアドレスであれば、再設定のリンクをメールでお送りします。60分以内に手続きをしてください。";
            Page::open(heading).render(&app, &Message { heading, text, link: None })
        }
        Err(error) if error.code.status().is_client_error() => Page::open("パスワードを忘れたとき")
            .status(error.code.status())
            .render(&app, &ForgottenPage { problems: words(&error, Tongue::default()) }),
        Err(error) => Err(error),
    }
}
