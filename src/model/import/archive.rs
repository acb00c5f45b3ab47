//! The zip archive that `torch.save` writes: one folder with `data.pkl`, which describes values,
//! and `data/KEY` for each storage of numbers.
//!
//! PyTorch stores its files uncompressed, and nothing else is accepted: with every file stored
//! once, unshared, within the archive, what is read can never be more than the archive's length.

use super::limits::{self, quoted};
use super::metered::Metered;
use std::io::{BufReader, Read, Seek};
use zip::{CompressionMethod, ZipArchive};

/// The file that every archive of `torch.save` holds.
const PICKLE: &str = "data.pkl";

/// An archive whose directory has been checked.
#[derive(Debug)]
pub struct Archive<R> {
    zip: ZipArchive<Metered<BufReader<R>>>,
    /// The one folder, with its slash.
    folder: String,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive and checks its directory.
    ///
    /// # Errors
    /// What is wrong, for the reader of a message.
    pub fn open(file: R) -> Result<Self, String> {
        let (reader, budget) = Metered::new(BufReader::new(file), limits::DIRECTORY_BYTES);
        let mut zip = ZipArchive::new(reader)
            .map_err(|error| format!("its zip directory cannot be read ({error})"))?;
        let entries = zip.len();
        if entries > limits::ENTRIES {
            return Err(format!(
                "it holds {entries} files, over the limit of {}",
                limits::ENTRIES
            ));
        }
        if zip.has_duplicate_names() {
            return Err("two of its files have the same name".to_owned());
        }
        let overlaps = zip
            .has_overlapping_entries()
            .map_err(|error| format!("its zip directory is broken ({error})"))?;
        if overlaps {
            return Err("its files overlap".to_owned());
        }
        let mut folders = Vec::new();
        for index in 0..entries {
            let file = zip
                .by_index_data(index)
                .map_err(|error| format!("its zip directory is broken ({error})"))?;
            let name = file
                .name()
                .map_err(|error| format!("a file's name cannot be read ({error})"))?;
            if file.compression() != CompressionMethod::Stored
                || file.encrypted()
                || file.size() != file.compressed_size()
            {
                return Err(format!(
                    "its file {} is compressed or encrypted, which torch.save never does",
                    quoted(&name)
                ));
            }
            if let Some(folder) = name.strip_suffix(PICKLE)
                && (folder.is_empty() || folder.ends_with('/'))
            {
                folders.push(folder.to_owned());
            }
            if name.ends_with("/constants.pkl") {
                return Err(
                    "it is a TorchScript archive; save model.state_dict() with torch.save \
                            instead"
                        .to_owned(),
                );
            }
        }
        budget.lift();
        let [folder] = <[String; 1]>::try_from(folders).map_err(|folders| {
            format!(
                "it holds {} files named {PICKLE}; torch.save writes one",
                folders.len()
            )
        })?;
        Ok(Self { zip, folder })
    }

    /// The pickle.
    ///
    /// # Errors
    /// What is wrong, for the reader of a message.
    pub fn pickle(&mut self) -> Result<Vec<u8>, String> {
        self.check_byte_order()?;
        self.read(PICKLE, limits::PICKLE_BYTES)
    }

    /// A storage's bytes.
    ///
    /// # Errors
    /// What is wrong, for the reader of a message.
    pub fn storage(&mut self, key: &str) -> Result<Vec<u8>, String> {
        self.read(&format!("data/{key}"), limits::FILE_BYTES)
    }

    /// Archives before PyTorch 2.1 have no file that tells the byte order; they are little-endian
    /// unless a rare computer wrote them.
    fn check_byte_order(&mut self) -> Result<(), String> {
        const FILE: &str = "byteorder";
        if self.zip.index_for_name(&self.path(FILE)).is_none() {
            return Ok(());
        }
        match self.read(FILE, 16)?.as_slice() {
            b"little" => Ok(()),
            _ => Err(
                "its numbers are not little-endian; save it again on an x86 or ARM computer"
                    .to_owned(),
            ),
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    /// Reads a file of the archive's folder, of at most so many bytes.
    fn read(&mut self, name: &str, most: u64) -> Result<Vec<u8>, String> {
        let path = self.path(name);
        let broken = |reason: String| {
            format!(
                "its file {} cannot be read ({reason}); fetch it again",
                quoted(&path)
            )
        };
        let mut file = self
            .zip
            .by_name(&path)
            .map_err(|error| broken(error.to_string()))?;
        let size = file.size();
        if size > most {
            return Err(format!(
                "its file {} has {size} bytes, over the limit of {most}",
                quoted(&path)
            ));
        }
        // Within the archive, as its directory was checked: no more than the file on disk.
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.read_to_end(&mut bytes)
            .map_err(|error| broken(error.to_string()))?;
        if bytes.len() as u64 != size {
            return Err(broken(format!(
                "{size} bytes promised, {} read",
                bytes.len()
            )));
        }
        Ok(bytes)
    }
}
