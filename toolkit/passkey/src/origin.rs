//! The address under which pages are served, as browsers write it.

/// Why an address is no origin of a relying party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// It is not `https://`, and not `http://localhost`.
    #[error("an origin begins with https:// (or http://localhost)")]
    Scheme,
    /// The host is no domain in lower case: an IP address cannot have passkeys.
    #[error("the host must be a domain name in lower case")]
    Host,
    /// The port is none, or the scheme's own.
    #[error("the port is no number or is the scheme's own, which browsers leave out")]
    Port,
}

/// An origin and the domain in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    text: String,
    host: String,
}

impl Origin {
    pub(crate) fn parse(text: &str) -> Result<Self, OriginError> {
        let (own_port, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (443, rest),
            (None, Some(rest)) => (80, rest),
            (None, None) => return Err(OriginError::Scheme),
        };
        let (host, port) = rest.split_once(':').map_or((rest, None), |(h, p)| (h, Some(p)));
        if own_port == 80 && host != "localhost" {
            return Err(OriginError::Scheme);
        }
        let label = |l: &str| {
            (1..=63).contains(&l.len())
                && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        let numeric = host.rsplit('.').next().is_none_or(|l| l.bytes().all(|b| b.is_ascii_digit()));
        if host.len() > 253 || !host.split('.').all(label) || numeric {
            return Err(OriginError::Host);
        }
        if let Some(port) = port {
            let fits = port.parse::<u16>().is_ok_and(|n| n != own_port && n.to_string() == port);
            if !fits {
                return Err(OriginError::Port);
            }
        }
        Ok(Self { text: text.to_owned(), host: host.to_owned() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_browsers_write() {
        for good in [
            "https://kiban.example.jp",
            "https://a-b.example:8443",
            "http://localhost:8080",
            "https://localhost",
        ] {
            assert_eq!(Origin::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("kiban.example.jp", OriginError::Scheme),
            ("http://kiban.example.jp", OriginError::Scheme),
            ("https://192.0.2.1", OriginError::Host),
            ("https://[::1]:8443", OriginError::Host),
            ("https://Kiban.example", OriginError::Host),
            ("https://kiban.example/", OriginError::Host),
            ("https://", OriginError::Host),
            ("https://a@b.example", OriginError::Host),
            ("https://kiban.example:443", OriginError::Port),
            ("https://kiban.example:x", OriginError::Port),
            ("https://kiban.example:+80", OriginError::Port),
        ] {
            assert_eq!(Origin::parse(bad), Err(why), "{bad}");
        }
    }
}
