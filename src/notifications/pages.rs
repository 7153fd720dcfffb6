//! The demo's mailbox: what would be sent.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::store::{self, MessageRow};
use crate::app::App;
use crate::error::Error;
use crate::web::layout::Page;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/mailbox", web::get().to(mailbox));
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>メール（デモ）</h1>
<p>デモではメールを外へ送らず、ここに表示します。新しい順に{{ mails.len() }}通です。</p>
{% for mail in mails %}<article class="mail" aria-labelledby="mail-{{ mail.id }}">
<h2 id="mail-{{ mail.id }}">{{ mail.subject }}</h2>
<dl class="facts"><dt>宛先</dt><dd>{{ mail.recipient_name }} &lt;{{ mail.recipient_address }}&gt;</dd>
<dt>日時</dt><dd>{{ mail.created_at.jst().format("%Y-%m-%d %H:%M") }}</dd></dl>
<pre>{% for line in mail.body.lines() %}{% if line.starts_with("http://") %}<a href="{{ line }}">{{ line }}</a>{% else %}{{ line }}{% endif %}
{% endfor %}</pre>
</article>{% endfor %}"#
)]
struct Mailbox {
    mails: Vec<MessageRow>,
}

async fn mailbox(app: web::Data<App>) -> Result<HttpResponse, Error> {
    if !app.demo {
        return Err(Error::not_found());
    }
    let mails = app.db.read(|conn| store::newest(conn, 100)).await?;
    Page::open("メール（デモ）").narrow(false).render(&app, &Mailbox { mails })
}
