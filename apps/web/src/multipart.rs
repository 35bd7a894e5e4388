//! Forms with a file (`multipart/form-data`, RFC 7578), as browsers write them. Strict: what is not of that shape is none.

use memchr::memmem;

/// A field of the form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    /// Name of the file, if it is one.
    pub(crate) file: Option<String>,
    pub(crate) content: &'a [u8],
}

/// Most fields.
const MOST: usize = 64;

/// The boundary that a content type names.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let parameter =
        content_type.split(';').map(str::trim).find_map(|p| p.strip_prefix("boundary="))?;
    let text = parameter.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(parameter);
    let fits = (1..=70).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&b));
    fits.then_some(text)
}

/// The fields of a body.
pub(crate) fn parts<'a>(boundary: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let mark = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&mark.as_bytes()[2..])?;
    let mut out = Vec::new();
    loop {
        if rest.strip_prefix(b"--").is_some_and(|end| end.is_empty() || end == b"\r\n") {
            return Some(out);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = memmem::find(rest, mark.as_bytes())?;
        if out.len() == MOST {
            return None;
        }
        out.push(part(&rest[..end])?);
        rest = &rest[end + mark.len()..];
    }
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let head = memmem::find(bytes, b"\r\n\r\n")?;
    let (head, content) = (std::str::from_utf8(&bytes[..head]).ok()?, &bytes[head + 4..]);
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then(|| value.trim())
    })?;
    let parameters = disposition.strip_prefix("form-data")?;
    Some(Part {
        name: parameter(parameters, "name")?,
        file: parameter(parameters, "filename"),
        content,
    })
}

/// `; name="…"`; browsers write a quote as `%22` and line ends as `%0D%0A`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let begin = format!("; {name}=\"");
    let value = &text[text.find(&begin)? + begin.len()..];
    let value = &value[..value.find('"')?];
    Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(end: &str) -> Vec<u8> {
        let mut out = b"--B\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n--B\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"\xe8\xa8\x88.pdf\"\r\nContent-Type: application/pdf\r\n\r\n"
            .to_vec();
        out.extend(b"\x00\r\n--Bx\xff\r\n");
        out.extend(end.as_bytes());
        out
    }

    #[test]
    fn fields_and_files_are_told_apart_and_anything_else_is_refused() {
        assert_eq!(boundary("multipart/form-data; boundary=----WebKit7"), Some("----WebKit7"));
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\""), None);
        assert_eq!(boundary("multipart/form-data"), None);
        // What looks like a boundary within a file is not told from one by anybody: browsers choose another boundary.
        assert_eq!(parts("B", &body("--B--\r\n")), None);
        let body = [&b"--C\r\n"[..], &body("--C--\r\n")[5..]].concat();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("--B\r\n"));
        let simple = b"--C\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--C\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\xe8\xa8\x88%22.pdf\"\r\nContent-Type: x\r\n\r\n\x00\r\n\xff\r\n--C--\r\n";
        let read = parts("C", simple).unwrap();
        assert_eq!(read[0], Part { name: "a".into(), file: None, content: b"1" });
        assert_eq!(
            read[1],
            Part { name: "f".into(), file: Some("計\".pdf".into()), content: b"\x00\r\n\xff" }
        );
        for cut in 1..simple.len() - 2 {
            assert_eq!(parts("C", &simple[..cut]), None, "cut at {cut}");
        }
        assert_eq!(parts("C", b""), None);
    }
}
