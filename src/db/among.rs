//! Ids in a condition. What the query builder makes of a list has one place for each value, so that SQLite reads and plans such a
//! statement anew each time; here the list is one value, and the statement stays prepared whatever its length.

use std::fmt::Write as _;

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};

use super::Conn;

type Either = <Conn as Connection>::Backend;

/// Ids to look for, each once or more, in any order; none is allowed and finds nothing.
#[derive(Debug, Clone)]
pub struct Ids {
    /// As a JSON array, which SQLite reads by itself; but for the brackets it is what PostgreSQL reads as an array.
    list: String,
    postgres: bool,
}

impl Ids {
    /// The ids, in the words of this connection's database.
    pub fn new(conn: &Conn, ids: impl IntoIterator<Item = i64>) -> Self {
        let mut list = String::from("[");
        for id in ids {
            let comma = if list.len() > 1 { "," } else { "" };
            // Writing into a text does not fail.
            let _ = write!(list, "{comma}{id}");
        }
        list.push(']');
        Self { list, postgres: matches!(conn, Conn::Postgres(_)) }
    }

    /// That a column of whole numbers holds one of the ids.
    pub fn among<C>(&self, column: C) -> Among<C> {
        Among { column, ids: self.clone() }
    }
}

/// That a column of whole numbers holds one of some ids. Never absent: the column must not be nullable.
#[derive(Debug, Clone)]
pub struct Among<C> {
    column: C,
    ids: Ids,
}

impl<C: Expression> Expression for Among<C> {
    type SqlType = Bool;
}

impl<C: SelectableExpression<S>, S> SelectableExpression<S> for Among<C> where Self: AppearsOnTable<S> {}

impl<C: AppearsOnTable<S>, S> AppearsOnTable<S> for Among<C> {}

impl<C: ValidGrouping<G>, G> ValidGrouping<G> for Among<C> {
    type IsAggregate = C::IsAggregate;
}

impl<C> QueryId for Among<C> {
    type QueryId = ();
    // Two databases, two texts.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C: QueryFragment<Either>> QueryFragment<Either> for Among<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Either>) -> QueryResult<()> {
        let (before, after) = if self.ids.postgres {
            (" = ANY(translate(", ", '[]', '{}')::bigint[])")
        } else {
            (" IN (SELECT value FROM json_each(", "))")
        };
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(before);
        out.push_bind_param::<Text, String>(&self.ids.list)?;
        out.push_sql(after);
        Ok(())
    }
}
