//! A tensor as a pickle describes it: a storage and which of its elements, in which order.

use super::element::Element;
use super::limits;
use std::borrow::Cow;

/// A storage: a file of numbers in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage<'a> {
    /// The name of its file.
    pub key: &'a str,
    /// What the numbers are.
    pub element: Element,
    /// How many there are.
    pub elements: usize,
}

/// A view of a storage: element (i, j, ...) is at `offset + i strides[0] + j strides[1] + ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strided<'a> {
    pub storage: Storage<'a>,
    offset: usize,
    /// Elements along each axis.
    pub shape: Vec<usize>,
    strides: Vec<usize>,
    /// Elements of the tensor.
    pub elements: usize,
}

impl<'a> Strided<'a> {
    /// A view whose every element lies within its storage.
    ///
    /// # Errors
    /// What is wrong, for the reader of a message.
    pub fn new(
        storage: Storage<'a>,
        offset: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, String> {
        if shape.len() != strides.len() {
            return Err(format!(
                "a tensor has {} axes but {} strides",
                shape.len(),
                strides.len()
            ));
        }
        let beyond = || {
            format!(
                "a tensor of shape {shape:?}, strides {strides:?} and offset {offset} reaches beyond \
                 its storage of {} elements",
                storage.elements
            )
        };
        let elements = product(&shape).ok_or_else(beyond)?;
        if elements > limits::ELEMENTS {
            return Err(format!(
                "a tensor of shape {shape:?} has more than {} elements",
                limits::ELEMENTS
            ));
        }
        let end = if elements == 0 {
            Some(offset)
        } else {
            let last = shape
                .iter()
                .zip(&strides)
                .try_fold(offset, |at, (&side, &stride)| {
                    at.checked_add((side - 1).checked_mul(stride)?)
                });
            last.and_then(|last| last.checked_add(1))
        };
        if end.is_none_or(|end| end > storage.elements) {
            return Err(beyond());
        }
        Ok(Self {
            storage,
            offset,
            shape,
            strides,
            elements,
        })
    }

    /// The tensor's elements in row-major order, from the bytes of its storage.
    ///
    /// # Errors
    /// Bytes that are not as many as the storage promises.
    pub fn gather<'b>(&self, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, String> {
        let Storage {
            key,
            element,
            elements,
        } = self.storage;
        let width = element.bytes();
        if Some(bytes.len()) != elements.checked_mul(width) {
            return Err(format!(
                "storage {key} has {} bytes, but {elements} elements of {width} bytes are described",
                bytes.len()
            ));
        }
        let at = |element: usize, count: usize| {
            let start = element * width;
            bytes
                .get(start..start + count * width)
                .ok_or_else(|| format!("storage {key} ends before element {element}"))
        };
        if self.is_contiguous() {
            return at(self.offset, self.elements).map(Cow::Borrowed);
        }
        let mut gathered = Vec::with_capacity(self.elements * width);
        let mut index = vec![0; self.shape.len()];
        for _ in 0..self.elements {
            let steps = index.iter().zip(&self.strides);
            let place = self.offset + steps.map(|(i, stride)| i * stride).sum::<usize>();
            gathered.extend_from_slice(at(place, 1)?);
            // The next index, the last axis running fastest.
            for (i, &side) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < side {
                    break;
                }
                *i = 0;
            }
        }
        Ok(Cow::Owned(gathered))
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.elements == 0
            || self
                .shape
                .iter()
                .zip(&self.strides)
                .rev()
                .all(|(&side, &stride)| {
                    let fits = side == 1 || stride == expected;
                    expected *= side;
                    fits
                })
    }
}

fn product(shape: &[usize]) -> Option<usize> {
    // A zero anywhere makes the tensor empty, whatever the other sides claim.
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1_usize, |product, &side| product.checked_mul(side))
}

#[cfg(test)]
mod tests {
    use super::{Element, Storage, Strided};

    const STORAGE: Storage<'static> = Storage {
        key: "0",
        element: Element::I16,
        elements: 6,
    };

    fn gathered(offset: usize, shape: &[usize], strides: &[usize]) -> Vec<u8> {
        let bytes: Vec<u8> = (0..6).flat_map(|i| [i, 0]).collect();
        let view = Strided::new(STORAGE, offset, shape.into(), strides.into()).expect("a view");
        let gathered = view.gather(&bytes).expect("bytes");
        gathered.iter().step_by(2).copied().collect()
    }

    #[test]
    fn views_of_all_kinds_are_row_major_afterwards() {
        assert_eq!(gathered(0, &[2, 3], &[3, 1]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(
            gathered(0, &[3, 2], &[1, 3]),
            [0, 3, 1, 4, 2, 5],
            "transposed"
        );
        assert_eq!(gathered(1, &[2], &[3]), [1, 4], "a column");
        assert_eq!(gathered(2, &[2, 2], &[0, 1]), [2, 3, 2, 3], "repeated");
        assert_eq!(gathered(5, &[], &[]), [5], "a scalar");
        assert_eq!(gathered(6, &[0, 9], &[9, 1]), [0; 0], "empty");
    }

    #[test]
    fn views_beyond_the_storage_are_refused() {
        for (offset, shape, strides) in [
            (0, vec![7], vec![1]),
            (1, vec![2, 3], vec![3, 1]),
            (usize::MAX, vec![1], vec![1]),
            (7, vec![0], vec![1]),
            (0, vec![2], vec![usize::MAX]),
            (1, vec![2, 2], vec![usize::MAX / 2, usize::MAX / 2]),
            (0, vec![usize::MAX, usize::MAX], vec![0, 0]),
            (0, vec![1 << 40], vec![0]),
            (0, vec![2, 3], vec![1]),
        ] {
            let view = Strided::new(STORAGE, offset, shape.clone(), strides);
            assert!(view.is_err(), "{offset} {shape:?}");
        }
    }

    #[test]
    fn a_storage_of_another_length_is_refused() {
        let view = Strided::new(STORAGE, 0, vec![6], vec![1]).expect("a view");
        assert!(view.gather(&[0; 11]).is_err());
        assert!(view.gather(&[0; 13]).is_err());
    }
}
