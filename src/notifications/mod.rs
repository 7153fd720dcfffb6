//! Notifications: the outbox, mail templates and transport. Owns `outbox_messages`. Mail is a row of the transaction
//! it belongs to; nothing is sent from a request.

pub mod message;
pub mod transport;
