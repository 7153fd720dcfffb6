//! The lists of the office's own administration as tables, each made from the page that is also sent as JSON.

use super::list_tables::{column, id, instant, number};
use super::sheet::{Cell, ColumnKind, Sheet};
use crate::audit::views::AuditEventPage;
use crate::auth::clients::views::ApiClientPage;
use crate::imports::views::ImportPage;
use crate::notifications::views::NotificationPage;
use crate::offers::views::OfferPage;
use crate::pools::views::{PoolPage, ProgrammePage};

/// Pools.
pub fn pools(page: &PoolPage) -> Sheet {
    use ColumnKind::{Code, Text};
    let columns = vec![
        column("id", "番号", "Id", Code),
        column("name", "名称", "Name", Text),
        column("expert_title", "専門家の呼称", "Title", Text),
        column("description", "説明", "Description", Text),
        column("updated_at", "更新日時", "Changed", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|row| {
            vec![
                id(row.id.0),
                row.name.as_str().into(),
                row.expert_title.as_str().into(),
                row.description.as_str().into(),
                instant(row.updated_at),
            ]
        })
        .collect();
    Sheet { title: "人材プール".to_owned(), columns, rows }
}

/// Programmes.
pub fn programmes(page: &ProgrammePage) -> Sheet {
    use ColumnKind::{Code, Text};
    let columns = vec![
        column("id", "番号", "Id", Code),
        column("pool_id", "人材プール番号", "Pool", Code),
        column("name", "名称", "Name", Text),
        column("description", "説明", "Description", Text),
        column("updated_at", "更新日時", "Changed", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|row| {
            vec![
                id(row.id.0),
                id(row.pool_id.0),
                row.name.as_str().into(),
                row.description.as_str().into(),
                instant(row.updated_at),
            ]
        })
        .collect();
    Sheet { title: "事業".to_owned(), columns, rows }
}

/// Offers to experts.
pub fn offers(page: &OfferPage) -> Sheet {
    use ColumnKind::{Code, Integer, Text};
    let columns = vec![
        column("id", "番号", "Id", Code),
        column("request_id", "申請番号", "Request", Code),
        column("applicant", "申請団体", "Applicant", Text),
        column("theme", "テーマ", "Theme", Text),
        column("expert", "専門家", "Expert", Text),
        column("rank", "順番", "Rank", Integer),
        column("status", "状態", "State", Text),
        column("sent_at", "送信日時", "Sent", Text),
        column("expires_at", "回答期限", "Answer until", Text),
        column("answered_at", "回答日時", "Answered", Text),
        column("visits", "訪問数", "Visits", Integer),
    ];
    let rows = page
        .items
        .iter()
        .map(|row| {
            vec![
                id(row.id.0),
                id(row.request_id.0),
                row.applicant_name.as_str().into(),
                row.theme.as_str().into(),
                row.expert_name.as_str().into(),
                number(row.rank),
                row.status.label_ja().into(),
                row.sent_at.map_or(Cell::Empty, instant),
                row.expires_at.map_or(Cell::Empty, instant),
                row.answered_at.map_or(Cell::Empty, instant),
                Cell::Int(i64::try_from(row.visits.len()).unwrap_or(i64::MAX)),
            ]
        })
        .collect();
    Sheet { title: "依頼".to_owned(), columns, rows }
}

/// Imports.
pub fn imports(page: &ImportPage) -> Sheet {
    use ColumnKind::{Code, Integer, Text};
    let columns = vec![
        column("id", "番号", "Id", Code),
        column("kind", "種類", "Kind", Text),
        column("file_name", "ファイル", "File", Text),
        column("rows", "行数", "Rows", Integer),
        column("errors", "誤り", "Errors", Integer),
        column("status", "状態", "State", Text),
        column("created_at", "読込日時", "Read", Text),
        column("applied_at", "登録日時", "Applied", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|row| {
            vec![
                id(row.id.0),
                row.kind.label_ja().into(),
                row.file_name.as_str().into(),
                number(row.row_count),
                number(row.error_count),
                row.status.label_ja().into(),
                instant(row.created_at),
                row.applied_at.map_or(Cell::Empty, instant),
            ]
        })
        .collect();
    Sheet { title: "取込み".to_owned(), columns, rows }
}

/// Mails of the own outbox, without their text.
pub fn notifications(page: &NotificationPage) -> Sheet {
    use ColumnKind::{Code, Integer, Text};
    let columns = vec![
        column("id", "番号", "Id", Code),
        column("event", "出来事", "Event", Text),
        column("recipient_name", "宛名", "Recipient", Text),
        column("recipient_address", "宛先", "Address", Text),
        column("subject", "件名", "Subject", Text),
        column("status", "状態", "State", Text),
        column("attempts", "試行", "Attempts", Integer),
        column("created_at", "作成日時", "Created", Text),
        column("sent_at", "送信日時", "Sent", Text),
        column("last_error", "最後の誤り", "Last error", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|row| {
            vec![
                id(row.id.0),
                row.event.as_str().into(),
                row.recipient_name.as_str().into(),
                row.recipient_address.as_str().into(),
                row.subject.as_str().into(),
                row.status.as_str().into(),
                number(row.attempts),
                instant(row.created_at),
                row.sent_at.map_or(Cell::Empty, instant),
                row.last_error.as_deref().into(),
            ]
        })
        .collect();
    Sheet { title: "送信箱".to_owned(), columns, rows }
}

/// Audit events.
pub fn audit_events(page: &AuditEventPage) -> Sheet {
    use ColumnKind::{Code, Text};
    let columns = vec![
        column("id", "番号", "Id", Code),
        column("occurred_at", "日時", "Time", Text),
        column("operation", "操作", "Operation", Text),
        column("actor_kind", "行為者の種類", "Actor kind", Text),
        column("actor", "行為者", "Actor", Text),
        column("entity", "対象", "Object", Text),
        column("entity_id", "対象の番号", "Object id", Code),
        column("old_value", "変更前", "Before", Text),
        column("new_value", "変更後", "After", Text),
        column("reason", "理由", "Reason", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|row| {
            vec![
                id(row.id.0),
                instant(row.occurred_at),
                row.operation.as_str().into(),
                row.actor_kind.as_str().into(),
                row.actor_name.as_deref().into(),
                row.entity_kind.as_str().into(),
                row.entity_id.map(id).unwrap_or(Cell::Empty),
                row.old_value.as_ref().map(ToString::to_string).into(),
                row.new_value.as_ref().map(ToString::to_string).into(),
                row.reason.as_deref().into(),
            ]
        })
        .collect();
    Sheet { title: "監査記録".to_owned(), columns, rows }
}

/// API clients; of a key no more than its public part.
pub fn api_clients(page: &ApiClientPage) -> Sheet {
    use ColumnKind::{Code, Text};
    let columns = vec![
        column("id", "番号", "Id", Code),
        column("name", "名称", "Name", Text),
        column("acts_as", "権限", "Acts as", Text),
        column("scopes", "範囲", "Scopes", Text),
        column("key_prefix", "キーの先頭", "Key prefix", Text),
        column("status", "状態", "State", Text),
        column("expires_at", "有効期限", "Expires", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|row| {
            vec![
                id(row.id.0),
                row.name.as_str().into(),
                row.acts_as.label_ja().into(),
                row.scopes.join(" ").into(),
                row.key_prefix.as_str().into(),
                row.status.label_ja().into(),
                instant(row.expires_at),
            ]
        })
        .collect();
    Sheet { title: "APIクライアント".to_owned(), columns, rows }
}
