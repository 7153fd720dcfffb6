//! The one way through a page: who is signed in, whether they may, one read of the database, the layout around it.
//! Whoever is not signed in is asked to sign in and comes back; what goes wrong is a page too.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};
use askama::Template;
use serde::de::DeserializeOwned;

use super::layout::{Around, Page as Layout};
use super::session::{self, SignedIn};
use super::tongue::Tongue;
use super::typed::Typed;
use crate::app::App;
use crate::auth::policy::Permission;
use crate::auth::sessions;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::public::Call;
use crate::http::read::parse_query;
use crate::http::{Ctx, path_id};
use crate::notifications::notice_store;

/// A page for whoever has permission `P`.
pub struct Page<P> {
    app: Arc<App>,
    request: HttpRequest,
    permission: PhantomData<P>,
}

impl<P: 'static> FromRequest for Page<P> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match request.app_data::<web::Data<App>>() {
            Some(app) => Ok(Self { app: Arc::clone(app), request: request.clone(), permission: PhantomData }),
            None => Err(Error::internal("application state is missing")),
        })
    }
}

/// What a page is made with.
#[derive(Debug, Clone)]
pub struct View {
    /// Who looks, and when.
    pub ctx: Ctx,
    /// In which language.
    pub tongue: Tongue,
    /// The value that forms carry.
    pub csrf: String,
    /// The address of the page, with its parameters: where forms come back to.
    pub place: String,
    /// What was typed into a form of this page and refused.
    pub typed: Option<Arc<Typed>>,
}

impl View {
    /// One of two texts.
    pub fn t<'a>(&self, ja: &'a str, en: &'a str) -> &'a str {
        self.tongue.t(ja, en)
    }

    /// Whether the person may.
    pub fn may<Q: Permission>(&self) -> bool {
        self.ctx.principal.may(&Q::INFO)
    }
}

/// A page's title and content.
#[derive(Debug)]
pub struct Sheet<T> {
    title: String,
    content: T,
    narrow: bool,
}

impl<T: Template> Sheet<T> {
    /// A page.
    pub fn new(title: impl Into<String>, content: T) -> Self {
        Self { title: title.into(), content, narrow: false }
    }

    /// A page that is read or filled in from top to bottom.
    #[must_use]
    pub fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }
}

/// What a request for a page tells of itself.
pub(super) struct Caller {
    pub(super) call: Call,
    pub(super) cookie: Option<String>,
    pub(super) tongue: Tongue,
    pub(super) place: String,
    pub(super) typed: Option<Arc<Typed>>,
}

impl Caller {
    pub(super) fn of(app: &Arc<App>, request: &HttpRequest) -> Self {
        let place = match request.query_string() {
            "" => request.path().to_owned(),
            query => format!("{}?{query}", request.path()),
        };
        Self {
            call: Call::new(Arc::clone(app), request),
            cookie: session::value(request, app),
            tongue: Tongue::of(request),
            place,
            typed: request.extensions().get::<Arc<Typed>>().cloned(),
        }
    }
}

impl<P: Permission> Page<P> {
    /// An id in the path.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        path_id(&self.request, name)
    }

    /// The parameters; an unknown one is refused. `done` is what a form that succeeded leaves, and belongs to the layout.
    pub fn query<Q: DeserializeOwned>(&self) -> Result<Q, Error> {
        let kept: Vec<(String, String)> = form_urlencoded::parse(self.request.query_string().as_bytes())
            .filter(|(name, value)| name != "done" && !value.is_empty())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        parse_query(&form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish())
    }

    /// Reads and shows the page.
    pub async fn show<T, F>(self, work: F) -> Result<HttpResponse, Error>
    where
        T: Template + Send + 'static,
        F: FnOnce(&mut Conn, &View) -> Result<Sheet<T>, Error> + Send + 'static,
    {
        let caller = Caller::of(&self.app, &self.request);
        let status = self.request.extensions().get::<StatusCode>().copied().unwrap_or(StatusCode::OK);
        let permitted = |conn: &mut Conn, view: &View| view.ctx.principal.require(&P::INFO).and_then(|()| work(conn, view));
        present(&self.app, caller, status, permitted).await
    }
}

/// Reads what a page shows to whoever is signed in, and puts the layout around it.
pub(super) async fn present<T, F>(app: &App, caller: Caller, status: StatusCode, work: F) -> Result<HttpResponse, Error>
where
    T: Template + Send + 'static,
    F: FnOnce(&mut Conn, &View) -> Result<Sheet<T>, Error> + Send + 'static,
{
    let Caller { call, cookie, tongue, place, typed } = caller;
    let there = place.clone();
    let found = call
        .read(move |conn, call| {
            let found = session::signed_in(conn, cookie.as_deref(), &call.app, call.now)?;
            let Some(SignedIn { principal, csrf, session }) = found else { return Ok(None) };
            let unread = principal.user_id().map_or(Ok(0), |user| notice_store::unread(conn, user))?;
            let view = View { ctx: call.ctx(principal), tongue, csrf, place: there, typed };
            let made = work(conn, &view);
            Ok(Some((view, unread, made, session)))
        })
        .await?;
    let Some((view, unread, made, session)) = found else { return Ok(to_sign_in(&place)) };
    let now = view.ctx.now;
    if session.is_to_be_noted(now) {
        // A page is shown even where its use cannot be noted.
        if let Err(error) = app.db.write(move |conn| sessions::note_use(conn, session.id, now)).await {
            tracing::warn!(code = error.code.code(), "the use of a session was not noted");
        }
    }
    let around = Around { principal: &view.ctx.principal, csrf: &view.csrf, unread, place: &place };
    match made {
        Ok(sheet) => {
            Layout::inside(&sheet.title, tongue, &around).narrow(sheet.narrow).status(status).render(app, &sheet.content)
        }
        Err(error) => trouble(app, tongue, Some(&around), &error),
    }
}

/// Where somebody signs in to come back here.
pub fn to_sign_in(place: &str) -> HttpResponse {
    let target = if place == "/" {
        "/sign-in".to_owned()
    } else {
        format!("/sign-in?{}", form_urlencoded::Serializer::new(String::new()).append_pair("next", place).finish())
    };
    HttpResponse::SeeOther().insert_header((header::LOCATION, target)).finish()
}

/// What went wrong, as a page: what happened and where to go on.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ title }}</h1>
<p>{{ detail }}</p>
{% if !fields.is_empty() %}<ul>{% for field in fields %}<li>{{ field }}</li>{% endfor %}</ul>{% endif %}
<p class="actions"><a class="button" href="/">{{ tongue.t("はじめのページへ", "Go to the first page") }}</a></p>
<p class="hint">{{ tongue.t("同じことが続くときは、いま行っていた操作と時刻を添えて、事務局へお知らせください。", "If it happens again, tell the office what you were doing, and when.") }}</p>"#
)]
struct Trouble {
    tongue: Tongue,
    title: String,
    detail: String,
    fields: Vec<String>,
}

/// A failure as a page.
pub(super) fn trouble(app: &App, tongue: Tongue, around: Option<&Around<'_>>, error: &Error) -> Result<HttpResponse, Error> {
    if error.code.status().is_server_error() {
        // The page says nothing of the cause; the line of the request, which has its id, stands beside this one.
        tracing::error!(cause = error.source.as_deref().unwrap_or_default(), code = error.code.code(), "page failed");
    }
    let title = error.code.title();
    let fixed;
    let (title, detail) = match error.code {
        ErrorCode::NotFound => {
            fixed = tongue.t(
                "お探しのページは、移動または削除されたか、ご覧いただけないものです。",
                "The page has moved or been removed, or is not for you to see.",
            );
            (tongue.t("ページが見つかりません", "Page not found").to_owned(), fixed.to_owned())
        }
        _ => (
            tongue.words(&title).to_owned(),
            error.detail.as_ref().map_or_else(String::new, |words| tongue.words(words).to_owned()),
        ),
    };
    let fields = error.fields.iter().map(|field| tongue.words(&field.detail).to_owned()).collect();
    let content = Trouble { tongue, title: title.clone(), detail, fields };
    let page = match around {
        Some(around) => Layout::inside(&title, tongue, around),
        None => Layout::outside(&title, tongue),
    };
    page.narrow(true).status(error.code.status()).render(app, &content)
}
