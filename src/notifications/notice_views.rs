//! What the API sends about notices, and how it is told how to tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::catalogue::{EventKind, MailChoice, Topic};
use super::notice_store::NoticeRow;
use crate::clock::UtcTime;
use crate::ids::{NoticeId, OrganisationId, RequestId};

/// A notice (お知らせ) to the signed-in person.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeView {
    /// Id.
    pub id: NoticeId,
    /// What happened.
    pub event: EventKind,
    /// What it is about.
    pub topic: Topic,
    /// One line, in the person's language.
    #[schema(max_length = 300, example = "派遣申請が届きました（掛川市）")]
    pub title: String,
    /// The page it leads to, under the service's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 300, example = "/requests/12")]
    pub path: Option<String>,
    /// Kind of object.
    #[schema(max_length = 40, example = "request")]
    pub entity_kind: String,
    /// The object.
    pub entity_id: i64,
    /// The request it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The body for which the person is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<OrganisationId>,
    /// When it happened.
    pub created_at: UtcTime,
    /// When it was read; absent: unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<UtcTime>,
}

impl From<NoticeRow> for NoticeView {
    fn from(row: NoticeRow) -> Self {
        Self {
            id: row.id,
            event: row.kind,
            topic: row.kind.topic(),
            title: row.title,
            path: row.path,
            entity_kind: row.entity_kind,
            entity_id: row.entity_id,
            request_id: row.request_id,
            organisation_id: row.organisation_id,
            created_at: row.created_at,
            read_at: row.read_at,
        }
    }
}

/// A page of notices.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticePage {
    /// Newest first.
    #[schema(max_items = 200)]
    pub items: Vec<NoticeView>,
    /// How many the person has not read in all.
    #[schema(minimum = 0)]
    pub unread: i64,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// How many notices were marked.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticesRead {
    /// Notices that were unread and are read now.
    #[schema(minimum = 0)]
    pub marked: usize,
    /// How many are unread now.
    #[schema(minimum = 0)]
    pub unread: i64,
}

/// Up to which notice everything was read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadNoticesBody {
    /// The newest notice that was read; all before it count as read too.
    pub up_to: NoticeId,
}

/// How mail about one topic comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicChoice {
    /// The topic.
    pub topic: Topic,
    /// How.
    pub mail: MailChoice,
}

/// How a person wants to be told.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationPreferences {
    /// One for each topic; `immediate` where nothing was chosen.
    #[schema(min_items = 1, max_items = 20)]
    pub topics: Vec<TopicChoice>,
    /// Events that come by mail at once whatever is chosen.
    #[schema(max_items = 20)]
    pub always_by_mail: Vec<EventKind>,
    /// Hour of the day, in Japan, at which the daily mail is written.
    #[schema(minimum = 0, maximum = 23, example = 8)]
    pub digest_hour: u8,
}

/// How a person wants to be told from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseNotificationsBody {
    /// Topics that are left out come as `immediate`.
    #[schema(max_items = 20)]
    pub topics: Vec<TopicChoice>,
}

impl NotificationPreferences {
    /// What holds for a person who has chosen so.
    pub fn new(chosen: &BTreeMap<Topic, MailChoice>, digest_hour: u8) -> Self {
        let choice =
            |topic: &Topic| TopicChoice { topic: *topic, mail: chosen.get(topic).copied().unwrap_or(MailChoice::Immediate) };
        Self {
            topics: Topic::ALL.iter().map(choice).collect(),
            always_by_mail: EventKind::ALL
                .iter()
                .copied()
                .filter(|kind| kind.reach() == super::catalogue::Reach::Always)
                .collect(),
            digest_hour,
        }
    }
}
