//! A data set on its way in: up to four IDX files, or one BIF, CSV or tar file, taken as they come, shared by REST and gRPC.

use experiments::{
    Data, DataError, Idx, IdxDecoder, IdxError, audio_from_tar, images_from_idx, network_from_bif,
    table_from_csv,
};
use store::Dataset;
use tokio::{sync::SemaphorePermit, task::spawn_blocking};

use crate::{
    app::{App, cut},
    builtin::new_dataset,
    fault::{Fault, Kind},
};

/// Longest name of a data set, and of its attribution.
const NAME_BYTES: usize = 128;
const ATTRIBUTION_CHARS: usize = 1024;
/// Longest file of text.
const TEXT_BYTES: usize = 1 << 26;

/// What is said of a data set beside its files.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) name: Option<String>,
    /// Greatest value of a pixel.
    pub(crate) max: Option<u8>,
    pub(crate) attribution: Option<String>,
}

/// Which of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Images,
    Labels,
    TestImages,
    TestLabels,
    Bif,
    Table,
    Audio,
}

impl File {
    pub(crate) const ALL: [Self; 7] =
        [Self::Images, Self::Labels, Self::TestImages, Self::TestLabels, Self::Bif, Self::Table, Self::Audio];

    /// As the field of a form is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Labels => "labels",
            Self::TestImages => "test_images",
            Self::TestLabels => "test_labels",
            Self::Bif => "bif",
            Self::Table => "table",
            Self::Audio => "audio",
        }
    }

    /// Whether it makes a data set by itself.
    fn is_whole(self) -> bool {
        matches!(self, Self::Bif | Self::Table | Self::Audio)
    }

    /// Reads a file that makes a data set by itself.
    fn read(self, bytes: &[u8], most: u64) -> Result<Data, DataError> {
        match self {
            Self::Table => table_from_csv(bytes),
            Self::Audio => audio_from_tar(bytes, most),
            _ => network_from_bif(bytes),
        }
    }
}

/// An upload that is under way; holds no more than the decoded data.
pub(crate) struct Upload<'a> {
    app: &'a App,
    // Each upload may hold a whole data set: only so many at once.
    _permit: SemaphorePermit<'a>,
    decoded: [Option<Idx>; 4],
    /// A file that makes a data set by itself.
    whole: Option<(File, Vec<u8>)>,
    open: Option<(File, Open)>,
    decoded_bytes: u64,
    received: u64,
}

impl<'a> Upload<'a> {
    pub(crate) async fn begin(app: &'a App) -> Result<Self, Fault> {
        app.accepts_work()?;
        app.has_room_for_jobs()?;
        let busy = |_| Fault::new(Kind::Busy, "other data sets are being uploaded; try again in a second");
        let permit = app.uploads.try_acquire().map_err(busy)?;
        Ok(Self {
            app,
            _permit: permit,
            decoded: Default::default(),
            whole: None,
            open: None,
            decoded_bytes: 0,
            received: 0,
        })
    }

    /// Takes the next bytes of a file; files come one after the other.
    pub(crate) fn push(&mut self, file: File, bytes: &[u8]) -> Result<(), Fault> {
        self.received += bytes.len() as u64;
        let most = self.app.config.max_dataset_bytes;
        if self.received > most + (1 << 20) {
            return Err(Fault::new(
                Kind::TooLarge,
                format!("the upload is too large; it must be at most {most} bytes"),
            ));
        }
        if self.open.as_ref().is_none_or(|(open, _)| *open != file) {
            self.close_file()?;
            if self.has(file) {
                let detail = format!("`{}` comes twice; it must come once", file.name());
                return Err(Fault::invalid_field(format!("/{}", file.name()), detail));
            }
            self.open = Some((file, Open::new(file, most.saturating_sub(self.decoded_bytes))));
        }
        match self.open.as_mut().expect("opened above") {
            (_, Open::Idx(decoder)) => decoder.push(bytes).map_err(|error| refused(file, &error)),
            (_, Open::Whole(whole)) if file != File::Audio && whole.len() + bytes.len() > TEXT_BYTES => {
                let name = file.name();
                let detail = format!("file `{name}` is too large; it must be at most {TEXT_BYTES} bytes");
                Err(Fault::new(Kind::TooLarge, detail))
            }
            (_, Open::Whole(whole)) => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn has(&self, file: File) -> bool {
        match &self.whole {
            Some((whole, _)) if *whole == file => true,
            _ => self.decoded.get(file as usize).is_some_and(Option::is_some),
        }
    }

    /// Puts the data set together and stores it.
    pub(crate) async fn finish(mut self, about: About) -> Result<Dataset, Fault> {
        self.close_file()?;
        let name = checked_name(about.name)?;
        let attribution = checked_attribution(about.attribution)?;
        if let Some((file, bytes)) = self.whole.take() {
            let other = File::ALL.into_iter().find(|file| self.has(*file)).map(File::name);
            if let Some(other) = other.or(about.max.map(|_| "max")) {
                return Err(beside(other, file));
            }
            let most = self.app.config.max_dataset_bytes;
            let read = move || {
                let data = file.read(&bytes, most);
                let place = file.name();
                let refused =
                    |error| Fault::invalid_field(format!("/{place}"), format!("file `{place}`: {error}"));
                new_dataset(&name, &data.map_err(refused)?, attribution)
            };
            let dataset = spawn_blocking(read).await.map_err(Fault::internal)??;
            return Ok(self.app.store.put_dataset(dataset, self.app.now().await?).await?);
        }
        let max = about.max.unwrap_or(255);
        if max == 0 {
            return Err(Fault::invalid_field("/max", "`max` is 0; it must be 1 to 255"));
        }
        let [images, labels, test_images, test_labels] = self.decoded;
        let images =
            images.ok_or_else(|| Fault::invalid_field("/images", "`images` is absent; it must be given"))?;
        if test_images.is_none() && test_labels.is_some() {
            let detail = "`test_labels` is given; it must come with `test_images`";
            return Err(Fault::invalid_field("/test_labels", detail));
        }
        let test = test_images.map(|images| (images, test_labels));
        let assemble = move || {
            let data = images_from_idx(images, labels, test, max)
                .map_err(|error| Fault::invalid_field("/images", error.to_string()))?;
            new_dataset(&name, &data, attribution)
        };
        let dataset = spawn_blocking(assemble).await.map_err(Fault::internal)??;
        Ok(self.app.store.put_dataset(dataset, self.app.now().await?).await?)
    }

    fn close_file(&mut self) -> Result<(), Fault> {
        let (file, decoder) = match self.open.take() {
            None => return Ok(()),
            Some((file, Open::Idx(decoder))) => (file, decoder),
            Some((file, Open::Whole(whole))) => {
                if let Some((other, _)) = &self.whole {
                    return Err(beside(file.name(), *other));
                }
                self.decoded_bytes += whole.len() as u64;
                self.whole = Some((file, whole));
                return Ok(());
            }
        };
        let decoded = decoder.finish().map_err(|error| refused(file, &error))?;
        self.decoded_bytes += decoded.1.len() as u64;
        self.decoded[file as usize] = Some(decoded);
        Ok(())
    }
}

/// A file that is being taken.
enum Open {
    Idx(IdxDecoder),
    Whole(Vec<u8>),
}

impl Open {
    fn new(file: File, most: u64) -> Self {
        if file.is_whole() { Self::Whole(Vec::new()) } else { Self::Idx(IdxDecoder::new(most)) }
    }
}

/// What must not be there beside a file that is a data set by itself.
fn beside(name: &str, whole: File) -> Fault {
    let detail = format!("`{name}` is given; it must be left out with `{}`", whole.name());
    Fault::invalid_field(format!("/{name}"), detail)
}

fn refused(file: File, error: &IdxError) -> Fault {
    let detail = format!("file `{}`: {error}", file.name());
    match error {
        IdxError::TooLarge { .. } | IdxError::Bomb => Fault::new(Kind::TooLarge, detail),
        _ => Fault::invalid_field(format!("/{}", file.name()), detail),
    }
}

fn checked_name(name: Option<String>) -> Result<String, Fault> {
    let name = name.ok_or_else(|| Fault::invalid_field("/name", "`name` is absent; it must be given"))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES || name.starts_with('.') || !name.bytes().all(allowed) {
        let rule = format!("it must be 1 to {NAME_BYTES} of A-Z a-z 0-9 . _ - and not begin with a dot");
        return Err(Fault::invalid_field("/name", format!("`name` is `{}`; {rule}", cut(&name))));
    }
    Ok(name)
}

fn checked_attribution(attribution: Option<String>) -> Result<Option<String>, Fault> {
    let attribution = attribution.filter(|text| !text.is_empty());
    if attribution.as_ref().is_some_and(|text| text.chars().count() > ATTRIBUTION_CHARS) {
        let detail =
            format!("`attribution` is too long; it must have at most {ATTRIBUTION_CHARS} characters");
        return Err(Fault::invalid_field("/attribution", detail));
    }
    Ok(attribution)
}
