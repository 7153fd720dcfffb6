//! REST: what every mail looks like, with sample facts.

use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::catalogue::EventKind;
use super::html::html;
use super::service::brand;
use super::template::{render, samples};
use crate::auth::policy::ManageNotifications;
use crate::error::{Error, Locale};
use crate::http::Read;
use crate::http::read::Answer;

/// Registers the operation.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list_notification_templates);
}

crate::text_enum! {
    /// Language of a mail.
    pub enum MailLanguage {
        /// Japanese.
        Ja = "ja", "日本語";
        /// English.
        En = "en", "英語";
    }
}

/// Which language to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TemplateParams {
    /// Japanese when absent.
    #[param(inline)]
    language: Option<MailLanguage>,
}

/// A mail with sample facts.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailSample {
    /// The event; absent for mails that only an operator can ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventKind>,
    /// Subject.
    #[schema(max_length = 300)]
    pub subject: String,
    /// The text, complete by itself.
    #[schema(max_length = 262144)]
    pub text: String,
    /// The same as HTML, for programs that prefer it.
    #[schema(max_length = 1048576)]
    pub html: String,
}

/// Every mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailSamples {
    /// In the order of a request's life.
    #[schema(max_items = 200)]
    pub items: Vec<MailSample>,
}

/// メールの見本 / Every mail with sample facts.
#[utoipa::path(tag = "notifications", params(TemplateParams), extensions(("x-permission" = json!("manage_notifications"))),
    responses((status = 200, description = "見本", body = MailSamples)))]
#[get("/notification-templates")]
async fn list_notification_templates(read: Read<ManageNotifications>) -> Result<HttpResponse, Error> {
    read.run(|_, ctx, params: TemplateParams| {
        let locale = match params.language {
            Some(MailLanguage::En) => Locale::En,
            _ => Locale::Ja,
        };
        let brand = brand(&ctx.app);
        let items = samples()
            .iter()
            .map(|notice| {
                let mail = render(notice, locale, &brand);
                MailSample {
                    event: notice.event().parse().ok(),
                    html: html(&mail.subject, &mail.text, locale, &brand.base_url),
                    subject: mail.subject,
                    text: mail.text,
                }
            })
            .collect();
        Ok(Answer::Json(MailSamples { items }))
    })
    .await
}
