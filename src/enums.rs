//! Enums that are stored and sent as text: one macro gives names, labels, database and JSON forms and the API schema.

/// Defines an enum whose variants have a stable text and a Japanese label.
#[macro_export]
macro_rules! text_enum {
    ($(#[doc = $doc:literal])* pub enum $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $text:literal, $ja:literal;)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $($(#[doc = $vdoc])* #[serde(rename = $text)] $variant),* }

        // Not derived: the derive does not see the names given here, and its description would lack the labels.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let values: &[(&str, &str, &str)] = &[$(($text, $ja, concat!($($vdoc),*))),*];
                $crate::enums::schema(concat!($($doc),*), values)
            }
        }

        impl utoipa::ToSchema for $name {}

        impl $name {
            /// Every variant in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The Japanese label.
            pub fn label_ja(self) -> &'static str {
                match self { $(Self::$variant => $ja),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text { $($text => Ok(Self::$variant),)* other => Err(format!("unknown value {other:?}")) }
            }
        }

        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where str: diesel::serialize::ToSql<diesel::sql_types::Text, DB> {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, DB>::to_sql(self.as_str(), out)
            }
        }

        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB> {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(bytes)?;
                text.parse().map_err(|e: String| e.into())
            }
        }
    };
}

/// The schema of an enum: its texts, and what each is called and means.
pub fn schema(meaning: &str, values: &[(&str, &str, &str)]) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    let list: Vec<String> = values.iter().map(|(text, ja, en)| format!("- `{text}`: {ja} / {}", en.trim())).collect();
    utoipa::openapi::schema::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .enum_values(Some(values.iter().map(|(text, ..)| *text)))
        .description(Some(format!("{}\n\n{}", meaning.trim(), list.join("\n"))))
        .into()
}
