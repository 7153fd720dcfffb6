//! The demo world: one prefecture in full swing, a function of the day it starts on.

pub mod large;

use std::sync::Arc;

use crate::app::App;
use crate::error::Error;

/// What the demo made.
#[derive(Debug, Default)]
pub struct World {}

/// Prepares the database of the demo.
pub fn prepare(app: &Arc<App>) -> Result<World, Error> {
    let _ = app;
    Ok(World::default())
}

/// What is printed at the start.
pub fn welcome(app: &App, world: &World) -> String {
    let _ = world;
    format!("{}\n", app.config.base_url)
}
