//! The pixels behind a map become the occupancies that Nav2 makes of them, in every accepted format.

use crate::common::map_folder::{Folder, KEYS, encoded};
use hrm_planner::Error;
use hrm_planner::grid::{load_map, load_map_with_max_cells};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba};

fn cells_of(bytes: impl AsRef<[u8]>, more: &str) -> Vec<i8> {
    let grid = Folder::new().load_image(bytes, more).expect("a good map");
    grid.data().to_vec()
}

fn error_of(bytes: impl AsRef<[u8]>) -> Error {
    Folder::new().load_image(bytes, "").expect_err("a bad map")
}

// --- Greymaps ---
#[test]
fn the_top_row_of_the_image_is_the_last_row_of_the_map() {
    let cells = cells_of("P2\n2 3\n255\n0 0\n254 0\n205 254\n", "");
    assert_eq!(cells, [-1, 0, 0, 100, 100, 100]);
}

#[test]
fn raw_and_plain_greymaps_of_any_maximum_agree() {
    let expected = cells_of("P2 3 1 255 0 205 254", "");
    assert_eq!(expected, [100, -1, 0]);
    assert_eq!(cells_of(b"P5 3 1 255\n\x00\xcd\xfe", ""), expected);
    assert_eq!(cells_of("P2 3 1 15 0 12 15", ""), expected);
    assert_eq!(cells_of(b"P5 3 1 15\n\x00\x0c\x0f", ""), expected);
    assert_eq!(cells_of("P2 3 1 65535 0 52685 65535", ""), expected);
    assert_eq!(
        cells_of(b"P5 3 1 65535\n\x00\x00\xcd\xcd\xff\xff", ""),
        expected
    );
    assert_eq!(cells_of("P2 3 1 1 0 1 1", ""), [100, 0, 0]);
}

#[test]
fn comments_may_stand_anywhere_in_a_header() {
    let expected = [100, 0];
    assert_eq!(
        cells_of(b"P5#one\n#two\n2# three\n1 #4\n\r#5\n255#six\n\x00\xff", ""),
        expected
    );
    assert_eq!(
        cells_of("P2\n#\n2 1\n#\n255\n0 # black\n255 # white", ""),
        expected
    );
}

#[test]
fn a_raster_may_look_like_white_space_or_a_comment() {
    // One byte of white space ends the header; the rest is pixels.
    assert_eq!(
        cells_of(b"P5 4 1 255\n#\n \t", "mode: raw\n"),
        [35, 10, 32, 9]
    );
}

#[test]
fn bytes_after_the_raster_are_ignored() {
    assert_eq!(cells_of(b"P5 1 1 255\n\xffP5 1 1 255\n\x00", ""), [0]);
}

#[test]
fn a_cut_off_greymap_names_what_is_wanted_and_found() {
    for (bytes, unit, wanted, found) in [
        (&b"P5 4 4 255\n12345"[..], "bytes", 16, 5),
        (b"P5 4 4 65535\n12345", "bytes", 32, 5),
        (b"P5 4 4 255", "bytes", 16, 0),
        (b"P2 2 2 255 1 2 3", "numbers", 4, 3),
        (b"P2 2 2 255 1 2 # 3 4", "numbers", 4, 2),
    ] {
        match error_of(bytes) {
            Error::ImageTruncated {
                unit: u,
                wanted: w,
                found: f,
                ..
            } => {
                assert_eq!((u, w, f), (unit, wanted, found));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn broken_greymap_headers_are_named() {
    for (bytes, part) in [
        (&b"P5"[..], "not supported"),
        (b"P6 1 1 255\n123", "not supported"),
        (b"P5\n", "ends before the width"),
        (b"P5 4", "ends before the height"),
        (b"P5 4 4", "ends before the maximum value"),
        (b"P5 4 -4 255\n", "'-'"),
        (b"P5 4 4.0 255\n", "'.'"),
        (b"P5 1 1 0\n1", "1..=65535"),
        (b"P5 1 1 65536\n11", "1..=65535"),
        (b"P5 1 1 100\n\xff", "255"),
        (b"P2 1 1 15 16", "16"),
        (b"P2 1 1 15 x", "'x'"),
        (b"hello", "format"),
        (b"", "format"),
    ] {
        let message = error_of(bytes).to_string();
        assert!(
            message.contains(part),
            "{}: {message}",
            bytes.escape_ascii()
        );
        assert!(message.contains("map.image"), "{message}");
    }
}

#[test]
fn empty_images_are_refused() {
    for bytes in ["P5 0 4 255\n", "P2 4 0 255\n"] {
        assert!(matches!(error_of(bytes), Error::EmptyGrid { .. }));
    }
}

#[test]
fn huge_sizes_are_refused_before_memory_is_taken() {
    for bytes in [
        "P5 1000000 1000000 255\n",
        "P2 1000000 1000000 255\n",
        "P5 99999999999999999999999999 99999999999999999999999999 65535\n",
    ] {
        assert!(matches!(error_of(bytes), Error::TooManyCells { .. }));
    }
    // Within the limit, but far more than the file holds.
    for bytes in ["P5 8192 8192 255\n", "P2 8192 8192 255\n"] {
        assert!(matches!(
            error_of(bytes),
            Error::ImageTruncated { found: 0, .. }
        ));
    }
    let folder = Folder::new();
    folder.write("map.png", encoded(GrayImage::new(40, 30), ImageFormat::Png));
    let path = folder.yaml("map.png", KEYS);
    assert!(load_map_with_max_cells(&path, 1200).is_ok());
    assert!(matches!(
        load_map_with_max_cells(&path, 1199),
        Err(Error::TooManyCells {
            cells: 1200,
            max_cells: 1199
        })
    ));
}

// --- Other formats ---
#[test]
fn png_and_bmp_of_every_depth_read_alike() {
    let greys = [0_u8, 205, 254];
    let expected = [100, -1, 0];
    let wide: ImageBuffer<Luma<u16>, _> =
        ImageBuffer::from_fn(3, 1, |x, _| Luma([u16::from(greys[x as usize]) * 257]));
    let grey = GrayImage::from_fn(3, 1, |x, _| Luma([greys[x as usize]]));
    let colour = RgbImage::from_fn(3, 1, |x, _| Rgb([greys[x as usize]; 3]));
    for bytes in [
        encoded(wide, ImageFormat::Png),
        encoded(grey.clone(), ImageFormat::Png),
        encoded(grey, ImageFormat::Bmp),
        encoded(colour.clone(), ImageFormat::Png),
        encoded(colour, ImageFormat::Bmp),
    ] {
        assert_eq!(cells_of(bytes, ""), expected);
    }
}

#[test]
fn colours_have_the_grey_of_their_luma_cut_to_a_whole_number() {
    let colours = [[200, 0, 0], [0, 100, 0], [0, 0, 255], [10, 20, 30]];
    let image = RgbImage::from_fn(4, 1, |x, _| Rgb(colours[x as usize]));
    let cells = cells_of(encoded(image, ImageFormat::Png), "mode: raw\n");
    // 59.8, 58.7, 29.1 and 18.2.
    assert_eq!(cells, [59, 58, 29, 18]);
}

#[test]
fn palette_images_are_read_through_their_palette() {
    assert_eq!(cells_of(palette_png([0, 1, 2]), ""), [100, -1, 0]);
}

/// A 3 x 1 PNG of 8 bit indices into the palette black, 205, white, its chunks put together here
/// because the encoder at hand writes no palettes.
fn palette_png(indices: [u8; 3]) -> Vec<u8> {
    fn chunk(name: &[u8], data: &[u8]) -> Vec<u8> {
        let mut body = name.to_vec();
        body.extend_from_slice(data);
        let mut bytes = (data.len() as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&crc32(&body).to_be_bytes());
        bytes
    }
    fn crc32(data: &[u8]) -> u32 {
        !data.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }
    fn adler32(data: &[u8]) -> u32 {
        let (low, high) = data.iter().fold((1, 0), |(low, high), &byte| {
            let low = (low + u32::from(byte)) % 65_521;
            (low, (high + low) % 65_521)
        });
        high << 16 | low
    }
    let row = [&[0], &indices[..]].concat();
    // zlib header, one stored block of four bytes, checksum.
    let mut data = vec![0x78, 0x01, 1, 4, 0, 0xfb, 0xff];
    data.extend_from_slice(&row);
    data.extend_from_slice(&adler32(&row).to_be_bytes());
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 1, 8, 3, 0, 0, 0]),
        chunk(b"PLTE", &[0, 0, 0, 205, 205, 205, 255, 255, 255]),
        chunk(b"IDAT", &data),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

#[test]
fn a_pixel_that_is_not_opaque_is_unknown() {
    let pixels = [[0, 255], [0, 254], [255, 255], [255, 0]];
    let colour: ImageBuffer<Rgba<u8>, _> = ImageBuffer::from_fn(4, 1, |x, _| {
        let [grey, alpha] = pixels[x as usize];
        Rgba([grey, grey, grey, alpha])
    });
    let grey = DynamicImage::from(colour.clone()).into_luma_alpha8();
    for bytes in [
        encoded(colour, ImageFormat::Png),
        encoded(grey, ImageFormat::Png),
    ] {
        for mode in ["", "mode: scale\n"] {
            assert_eq!(cells_of(&bytes, mode), [100, -1, 0, -1]);
        }
        assert_eq!(cells_of(&bytes, "mode: raw\n"), [0, -1, -1, -1]);
    }
}

#[test]
fn cut_off_png_and_bmp_are_errors() {
    let image = GrayImage::from_fn(64, 64, |x, y| Luma([(x * y) as u8]));
    for format in [ImageFormat::Png, ImageFormat::Bmp] {
        let bytes = encoded(image.clone(), format);
        for keep in [bytes.len() / 2, 20] {
            let error = error_of(&bytes[..keep]);
            assert!(matches!(error, Error::Image { .. }), "{format:?}: {error}");
        }
    }
}

// --- Modes and thresholds ---
#[test]
fn scale_mode_is_proportional_between_the_thresholds() {
    let keys = "resolution: 1\norigin: [0, 0, 0]\nnegate: 0\noccupied_thresh: 1.0\nfree_thresh: 0.0\n\
                mode: scale\n";
    let folder = Folder::new();
    folder.write("map.pgm", "P2 5 1 255 255 254 128 1 0");
    let grid = load_map(folder.yaml("map.pgm", keys)).expect("a good map");
    assert_eq!(grid.data(), [0, 0, 50, 100, 100]);
}

#[test]
fn raw_mode_takes_greys_up_to_100_as_they_are() {
    let image = "P2 5 1 255 0 55 100 101 255";
    assert_eq!(cells_of(image, "mode: raw\n"), [0, 55, 100, -1, -1]);
}

#[test]
fn modes_are_read_in_any_case_and_others_refused() {
    assert_eq!(cells_of("P2 1 1 255 7", "mode: RAW\n"), [7]);
    let folder = Folder::new();
    let error = folder
        .load_image("P2 1 1 255 7", "mode: binary\n")
        .expect_err("no such mode");
    assert!(
        error.to_string().contains("trinary, scale or raw"),
        "{error}"
    );
}

#[test]
fn negate_swaps_black_and_white() {
    let folder = Folder::new();
    folder.write("map.pgm", "P2 3 1 255 0 205 255");
    for negate in ["1", "true", "yes", "'1'", "2"] {
        let keys = KEYS.replace("negate: 0", &format!("negate: {negate}"));
        let grid = load_map(folder.yaml("map.pgm", &keys)).expect("a good map");
        assert_eq!(grid.data(), [0, 100, 100], "negate: {negate}");
    }
    let keys = KEYS.replace("negate: 0", "negate: perhaps");
    let error = load_map(folder.yaml("map.pgm", &keys)).expect_err("no flag");
    assert!(
        matches!(error, Error::MapKey { key: "negate", .. }),
        "{error}"
    );
}

#[test]
fn greys_on_a_threshold_belong_to_its_side() {
    // Grey 204 is a darkness of exactly 0.2, grey 51 of exactly 0.8.
    let folder = Folder::new();
    folder.write("map.pgm", "P2 4 1 255 204 203 52 51");
    let keys =
        "resolution: 1\norigin: [0, 0, 0]\nnegate: 0\noccupied_thresh: 0.8\nfree_thresh: 0.2\n";
    let grid = load_map(folder.yaml("map.pgm", keys)).expect("a good map");
    assert_eq!(grid.data(), [0, -1, -1, 100]);
    let keys = keys.replace("0.8", "0.2");
    let grid = load_map(folder.yaml("map.pgm", &keys)).expect("thresholds may be equal");
    assert_eq!(grid.data(), [0, 100, 100, 100]);
    let error =
        load_map(folder.yaml("map.pgm", &keys.replacen("0.2", "0.1", 1))).expect_err("swapped");
    assert!(
        matches!(
            error,
            Error::MapKey {
                key: "free_thresh",
                ..
            }
        ),
        "{error}"
    );
}
