//! Background work: one thread that does what is due, again and again, in as many processes as run. Periodic jobs take
//! a lease first, so that one process does each; mail is claimed message by message.

pub mod reminders;
pub mod worker;
