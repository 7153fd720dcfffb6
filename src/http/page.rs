//! Paging: opaque cursors that remember the sort and the filters they belong to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::auth::secrets;
use crate::error::{Error, ErrorCode};

/// Rows of a page when the client does not say.
pub const DEFAULT_LIMIT: i64 = 50;
/// Most rows of a page.
pub const LARGEST_LIMIT: i64 = 200;

/// Where a page begins: after the row with this key and id.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    /// Sort key of the last row shown.
    k: String,
    /// Its id.
    i: i64,
    /// Hash of the sort and filters.
    h: String,
}

/// The paging half of a list's parameters.
pub struct ListQuery {
    /// Rows wanted.
    pub limit: i64,
    after: Option<Cursor>,
    filter_hash: String,
}

impl ListQuery {
    /// Reads `limit` and `cursor`. `filters` is everything else that shapes the list (sort included): a cursor made
    /// for other filters is refused.
    pub fn new(limit: Option<i64>, cursor: Option<&str>, filters: &impl std::fmt::Debug) -> Result<Self, Error> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=LARGEST_LIMIT).contains(&limit) {
            return Err(Error::new(ErrorCode::UnknownParameter).field(
                "limit",
                "out_of_range",
                format!("1から{LARGEST_LIMIT}までの値にしてください"),
                format!("Must be from 1 to {LARGEST_LIMIT}"),
            ));
        }
        let filter_hash: String = secrets::sha256(format!("{filters:?}").as_bytes()).chars().take(12).collect();
        let after = match cursor {
            None => None,
            Some(text) => {
                let wrong = || Error::new(ErrorCode::InvalidCursor);
                let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
                let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
                if cursor.h != filter_hash {
                    return Err(wrong());
                }
                Some(cursor)
            }
        };
        Ok(Self { limit, after, filter_hash })
    }

    /// The key and id after which the page begins.
    pub fn after(&self) -> Option<(&str, i64)> {
        self.after.as_ref().map(|cursor| (cursor.k.as_str(), cursor.i))
    }

    /// The key parsed; a key that does not parse is a forged cursor.
    pub fn after_parsed<K: std::str::FromStr>(&self) -> Result<Option<(K, i64)>, Error> {
        match self.after() {
            None => Ok(None),
            Some((key, id)) => key.parse().map(|key| Some((key, id))).map_err(|_| Error::new(ErrorCode::InvalidCursor)),
        }
    }

    /// How many rows to load: one more than shown tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Cuts what was loaded to the page; `position` tells a row's sort key and id.
    pub fn page<R>(&self, mut rows: Vec<R>, position: impl Fn(&R) -> (String, i64)) -> Page<R> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| {
            let (k, i) = position(row);
            let cursor = Cursor { k, i, h: self.filter_hash.clone() };
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
        });
        Page { items: rows, next_cursor }
    }
}

/// One page of rows.
pub struct Page<R> {
    /// The rows.
    pub items: Vec<R>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// The `Link` target for the next page: the same parameters with the new cursor.
pub fn next_link(query: &str, cursor: Option<&str>) -> Option<String> {
    let cursor = cursor?;
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "cursor" {
            parameters.append_pair(&name, &value);
        }
    }
    parameters.append_pair("cursor", cursor);
    Some(parameters.finish())
}
