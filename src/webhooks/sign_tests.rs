//! The vectors of the reference libraries, and what may not sign.

use super::*;

fn secret(text: &str) -> Secret {
    Secret::parse(&SecretString::from(text)).unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::parse(text).unwrap()
}

/// From the tests of the reference libraries in Rust and Python, `test_sign` and `test_sign_function`.
#[test]
fn signs_as_the_reference_libraries_do() {
    for (key, message, at, body, expected) in [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ] {
        let headers = sign(&id(message), at, body.as_bytes(), &[secret(key)]).unwrap();
        assert_eq!(headers.signature, expected);
        assert_eq!(headers.pairs()[0], ("webhook-id", message));
        assert_eq!(headers.pairs()[1], ("webhook-timestamp", at.to_string().as_str()));
    }
}

#[test]
fn while_rotating_both_secrets_sign_the_newest_first() {
    let (old, new) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    let message = MessageId::generate().unwrap();
    let alone = |secret: &Secret| sign(&message, 1, b"{}", std::slice::from_ref(secret)).unwrap().signature;
    let both = sign(&message, 1, b"{}", &[new.clone(), old.clone()]).unwrap();
    assert_eq!(both.signature, format!("{} {}", alone(&new), alone(&old)));
}

#[test]
fn every_part_of_a_message_is_signed() {
    let key = [secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
    let signed = |message: &str, at, body: &[u8]| sign(&id(message), at, body, &key).unwrap().signature;
    let original = signed("msg_1", 10, b"{}");
    assert_eq!(original, signed("msg_1", 10, b"{}"));
    for other in [signed("msg_2", 10, b"{}"), signed("msg_1", 11, b"{}"), signed("msg_1", 10, b"{ }")] {
        assert_ne!(original, other);
    }
}

#[test]
fn a_secret_is_long_random_and_reads_back() {
    let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    assert_ne!(one.bytes(), other.bytes());
    assert_eq!(one.bytes().len(), 32);
    let shown = one.reveal();
    assert!(shown.expose_secret().starts_with("whsec_"));
    assert_eq!(Secret::parse(&shown).unwrap().bytes(), one.bytes());
    assert!(!format!("{one:?} {shown:?}").contains(&BASE64.encode(one.bytes())), "printing shows nothing");
}

#[test]
fn what_is_no_secret_or_no_id_is_refused() {
    let parsed = |text: String| Secret::parse(&SecretString::from(text)).map(drop);
    let of_length = |length: usize| parsed(format!("whsec_{}", BASE64.encode(vec![7_u8; length])));
    assert_eq!(parsed(String::new()), Err(SignProblem::NotASecret));
    assert_eq!(parsed(BASE64.encode([7_u8; 32])), Err(SignProblem::NotASecret));
    assert_eq!(parsed("whsec_*".to_owned()), Err(SignProblem::NotASecret));
    for length in [0, 23, 65] {
        assert_eq!(of_length(length), Err(SignProblem::SecretLength), "{length}");
    }
    for length in [24, 64] {
        assert_eq!(of_length(length), Ok(()), "{length}");
    }
    for text in ["", "msg.1", "msg 1", "msg_é", "msg\r\n1", &"m".repeat(65)] {
        assert_eq!(MessageId::parse(text), Err(SignProblem::MessageId), "{text:?}");
    }
    let secret = Secret::generate().unwrap();
    let three = [secret.clone(), secret.clone(), secret];
    for count in [0, 3] {
        assert_eq!(sign(&id("m"), 0, b"", &three[..count]), Err(SignProblem::SecretCount), "{count}");
    }
    let new = MessageId::generate().unwrap();
    assert_eq!(MessageId::parse(new.as_str()), Ok(new));
}
