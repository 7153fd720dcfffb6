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
use crate::web::layout::{Message, Page};
use crate::web::session;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/sign-in", web::get().to(show_sign_in))
        .route("/sign-in", web::post().to(sign_in))
        .route("/sign-out", web::post().to(sign_out))
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

fn words(error: &Error) -> Vec<String> {
    if error.fields.is_empty() {
        vec![error.problem(Locale::Ja, None, None).detail]
    } else {
        error.fields.iter().map(|field| field.detail.ja.to_string()).collect()
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>サインイン</h1>
{% if !problems.is_empty() %}<div class="notice bad" role="alert"><h2>サインインできませんでした</h2><ul>{% for problem in problems %}<li>{{ problem }}</li>{% endfor %}</ul></div>{% endif %}
<form method="post" action="/sign-in">
<label for="email">メールアドレス</label><input id="email" type="email" name="email" value="{{ email }}" autocomplete="username" required>
<label for="password">パスワード</label><input id="password" type="password" name="password" autocomplete="current-password" required>
<p class="actions"><button type="submit">サインイン</button></p>
</form>
<p><a href="/forgotten-password">パスワードを忘れたとき</a></p>"#
)]
struct SignInPage {
    problems: Vec<String>,
    email: String,
}

async fn show_sign_in(app: web::Data<App>) -> Result<HttpResponse, Error> {
    Page::open("サインイン").render(&app, &SignInPage { problems: Vec::new(), email: String::new() })
}

async fn sign_in(app: web::Data<App>, request: HttpRequest, typed: Typed) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let email = text(&typed, "email");
    let call = Call::new(Arc::clone(&app), &request);
    let password = SecretString::from(text(&typed, "password"));
    match service::open_session(&call, &email, &password, None, Carrier::Cookie).await {
        Ok(signed_in) => {
            let mut response = go("/");
            let cookie = session::cookie(&app, &signed_in.opened.secret);
            response.add_cookie(&cookie).map_err(Error::internal)?;
            Ok(response)
        }
        Err(error) if error.code.status().is_client_error() => {
            Page::open("サインイン").status(error.code.status()).render(&app, &SignInPage { problems: words(&error), email })
        }
        Err(error) => Err(error),
    }
}

async fn sign_out(app: web::Data<App>, request: HttpRequest, typed: Typed) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let mut response = go("/sign-in");
    response.add_cookie(&session::removal(&app)).map_err(Error::internal)?;
    let Some(cookie) = session::value(&request, &app) else { return Ok(response) };
    if text(&typed, "csrf") != session::csrf(&cookie) {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    let call = Call::new(Arc::clone(&app), &request);
    call.write(move |conn, call| {
        let Some(id) = sessions::of_cookie(conn, &cookie, call.now)? else { return Ok(Done::nothing(())) };
        let principal = principal::of_session(conn, id, call.now)?;
        sessions::end(conn, id, "signed_out", call.now)?;
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
</form>"#
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
) -> Result<HttpResponse, Error> {
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Page::open(heading).status(status).render(app, &PasswordPage { heading, action, problems, token })
}

async fn show_invitation(app: web::Data<App>, query: web::Query<TokenQuery>) -> Result<HttpResponse, Error> {
    password_page(&app, INVITATION, query.into_inner().token.unwrap_or_default(), Vec::new())
}

async fn show_reset(app: web::Data<App>, query: web::Query<TokenQuery>) -> Result<HttpResponse, Error> {
    password_page(&app, RESET, query.into_inner().token.unwrap_or_default(), Vec::new())
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
        Err(error) if error.code.status().is_client_error() => password_page(app, page, token, words(&error)),
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
            .render(&app, &ForgottenPage { problems: words(&error) }),
        Err(error) => Err(error),
    }
}
