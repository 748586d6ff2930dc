//! Embeddings: unit vectors that depend on the text alone, so that equal texts are equal and others are not.

use serde::Deserialize;
use serde_json::{Value, json};

use super::base64;
use super::request::read;
use super::text;

/// Length of a vector when the client asks for none.
const DIMENSIONS: u32 = 256;
/// Longest vector.
const MOST: u32 = 3_072;

/// An embeddings request.
#[derive(Debug, Deserialize)]
pub(crate) struct EmbeddingRequest {
    pub(crate) model: String,
    input: Input,
    #[serde(default)]
    encoding_format: Option<Encoding>,
    #[serde(default)]
    dimensions: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Float,
    Base64,
}

impl EmbeddingRequest {
    /// Reads and checks a body; the error is a sentence for the client.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let request: Self = read(body)?;
        if request.texts().is_empty() {
            return Err("'input' : minimum number of items is 1".to_owned());
        }
        if request.dimensions.is_some_and(|wanted| !(1..=MOST).contains(&wanted)) {
            return Err(format!("'dimensions' : must lie between 1 and {MOST}"));
        }
        Ok(request)
    }

    /// The vectors of all inputs in the OpenAI envelope.
    pub(crate) fn answer(&self) -> Value {
        let dimensions = self.dimensions.unwrap_or(DIMENSIONS);
        let vectors = self.texts().iter().enumerate().map(|(index, text)| {
            let embedding = self.encoded(&vector(text, dimensions));
            json!({"object": "embedding", "index": index, "embedding": embedding})
        });
        let data: Vec<Value> = vectors.collect();
        let tokens: u64 = self.texts().iter().map(|text| text::count(text)).sum();
        json!({"object": "list", "data": data, "model": self.model,
               "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
    }

    /// The SDKs ask for base64 on their own and unpack it: little-endian floats of four bytes.
    fn encoded(&self, vector: &[f32]) -> Value {
        match self.encoding_format {
            Some(Encoding::Base64) => {
                let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                json!(base64::encode(&bytes))
            }
            Some(Encoding::Float) | None => json!(vector),
        }
    }

    fn texts(&self) -> &[String] {
        match &self.input {
            Input::One(text) => std::slice::from_ref(text),
            Input::Many(texts) => texts,
        }
    }
}

/// A vector of length one, drawn from a generator that the text seeds (FNV-1a, then xorshift).
fn vector(text: &str, dimensions: u32) -> Vec<f32> {
    let seed = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut state = seed | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // 16 bits are exact in an f32.
        f32::from(u16::try_from(state >> 48).unwrap_or(0)) / 32_768.0 - 1.0
    };
    let raw: Vec<f32> = (0..dimensions).map(|_| draw()).collect();
    let norm = raw.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    raw.iter().map(|number| number / norm).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &Value) -> Value {
        EmbeddingRequest::parse(body.to_string().as_bytes()).unwrap().answer()
    }

    fn numbers(answer: &Value, index: usize) -> Vec<f64> {
        let vector = answer["data"][index]["embedding"].as_array().unwrap();
        vector.iter().map(|number| number.as_f64().unwrap()).collect()
    }

    #[test]
    fn equal_texts_have_equal_unit_vectors_and_others_have_not() {
        let answer = answer(&json!({"model": "m", "input": ["über", "unter", "über"], "dimensions": 64}));
        let [first, second, third] = [0, 1, 2].map(|index| numbers(&answer, index));
        assert_eq!(first.len(), 64);
        assert_eq!(first, third);
        assert_ne!(first, second);
        let norm: f64 = first.iter().map(|number| number * number).sum();
        assert!((norm - 1.0).abs() < 1e-5, "{norm}");
        assert_eq!(answer["usage"]["total_tokens"], 3);
    }

    #[test]
    fn base64_is_four_bytes_per_number() {
        let answer = answer(&json!({"model": "m", "input": "x", "dimensions": 3, "encoding_format": "base64"}));
        assert_eq!(answer["data"][0]["embedding"].as_str().unwrap().len(), 16);
    }

    #[test]
    fn faults_name_their_place() {
        for (body, place) in [
            (json!({"model": "m"}), "input"),
            (json!({"model": "m", "input": []}), "'input' :"),
            (json!({"model": "m", "input": 5}), "'input' :"),
            (json!({"model": "m", "input": "x", "dimensions": 0}), "'dimensions' :"),
            (json!({"model": "m", "input": "x", "encoding_format": "hex"}), "'encoding_format' :"),
        ] {
            let fault = EmbeddingRequest::parse(body.to_string().as_bytes()).unwrap_err();
            assert!(fault.contains(place), "{body} gave: {fault}");
        }
    }
}
