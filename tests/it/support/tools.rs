//! Racing threads and the database without the application in front of it.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use tasuki::error::Error;

use super::client::{Answer, Client};
use super::server::TestApp;

/// Does `work` in so many threads that begin at the same moment; the results in the order of the threads.
pub fn race<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|n| {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    start.wait();
                    work(n)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Calls one verb on many objects at the same moment, each with the version it has now.
pub fn race_verbs(client: &Client, objects: &[String], verb: &str, body: &serde_json::Value) -> Vec<Answer> {
    let etags: Vec<String> = objects.iter().map(|object| client.get(object).etag()).collect();
    race(objects.len(), |n| {
        client.clone().call("POST", format!("/api/v1{}/{verb}", objects[n])).json(body).header("If-Match", &etags[n]).send()
    })
}

/// Runs a statement that no part of the application looks at.
pub fn sql(app: &TestApp, statement: &str) -> Result<(), Error> {
    app.app.db.write_blocking(|conn| Ok(conn.batch_execute(statement)?))
}

/// The texts that a query gives, each called `text`.
pub fn texts(app: &TestApp, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let rows: Vec<Row> = app.app.db.read_blocking(|conn| Ok(diesel::sql_query(query).load(conn)?)).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

/// The number that a query gives.
pub fn number(app: &TestApp, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let query = format!("SELECT CAST(({query}) AS BIGINT) AS n");
    app.app.db.read_blocking(|conn| Ok(diesel::sql_query(&query).get_result::<Row>(conn)?.n)).unwrap()
}
