//! What a mail says once its encodings are undone.

use base64::Engine as _;

/// A mail as the sink received it.
#[derive(Debug, Clone)]
pub struct ReceivedMail {
    /// Address in `MAIL FROM`.
    pub envelope_from: String,
    /// Addresses in `RCPT TO`.
    pub envelope_to: Vec<String>,
    /// The message as sent, dot-stuffing removed.
    pub raw: Vec<u8>,
    /// Header names and values, unfolded and decoded (RFC 2047), in order.
    pub headers: Vec<(String, String)>,
    /// The text, decoded, with LF line ends and none after the last line: how many stand there says nothing.
    pub text: String,
}

impl ReceivedMail {
    /// The value of a header that must occur once.
    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => value,
            _ => panic!("header {name} must occur once in {:?}", self.headers),
        }
    }

    /// The first line of the text that is an address of the web and nothing else, as people click it.
    pub fn link(&self) -> &str {
        let mut lines = self.text.lines();
        lines
            .find(|line| line.starts_with("http://") || line.starts_with("https://"))
            .unwrap_or_else(|| panic!("no link in:\n{}", self.text))
    }
}

impl ReceivedMail {
    /// Takes a message apart.
    pub fn of(envelope_from: String, envelope_to: Vec<String>, raw: Vec<u8>) -> ReceivedMail {
        let message = String::from_utf8_lossy(&raw).into_owned();
        let (head, _) = message.split_once("\r\n\r\n").unwrap_or((&message, ""));
        let headers: Vec<(String, String)> = head
            .replace("\r\n ", " ")
            .replace("\r\n\t", " ")
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), decode_words(value.trim())))
            .collect();
        // The text part, whatever stands beside it: it must be enough by itself.
        let parsed = mail_parser::MessageParser::default().parse(&raw).expect("a message");
        let text = parsed.body_text(0).expect("a text part").replace("\r\n", "\n").trim_end_matches('\n').to_owned();
        ReceivedMail { envelope_from, envelope_to, raw, headers, text }
    }
}

/// Decodes RFC 2047 words, dropping the space between two neighbouring ones.
fn decode_words(value: &str) -> String {
    let (mut decoded, mut after_word) = (String::new(), false);
    let mut rest = value;
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        let parts: Vec<&str> = word[2..].splitn(4, '?').collect();
        let &[charset, coding, data, tail] = parts.as_slice() else {
            return decoded + word;
        };
        assert!(charset.eq_ignore_ascii_case("utf-8"), "mail is written in UTF-8, not {charset}");
        let bytes = match coding {
            "b" | "B" => decode_base64(data),
            _ => decode_quoted(&data.replace('_', " ")),
        };
        decoded.push_str(&String::from_utf8(bytes).expect("each encoded word is whole UTF-8"));
        after_word = true;
        rest = tail.strip_prefix('=').unwrap_or(tail);
    }
    decoded + rest
}

fn decode_base64(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).expect("valid base64")
}

fn decode_quoted(text: &str) -> Vec<u8> {
    let (bytes, mut decoded, mut i) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(i) {
        let hex = text.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(value) if byte == b'=' => {
                decoded.push(value);
                i += 3;
            }
            _ => {
                decoded.push(byte);
                i += 1;
            }
        }
    }
    decoded
}
