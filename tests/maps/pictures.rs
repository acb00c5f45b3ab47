//! Pictures show the map with +y up, in colours that tell its cells apart, and what is laid over
//! it where it is; animations hold their frames and loop.

use crate::common::costmap;
use hrm_planner::Error;
use hrm_planner::grid::{Cell, Cost, Costmap, Geometry, Pose2};
use hrm_planner::view::{
    Animation, FREE, INSCRIBED, LETHAL, Picture, PlanStyle, PublishedPlan, Rgb, SegmentFrame,
    UNKNOWN, field_colour, thinking_animation,
};
use image::{AnimationDecoder, codecs::gif::GifDecoder};
use std::{fs::File, io::BufReader, path::Path, time::Duration};

/// The colour at a world point.
fn colour_at(picture: &Picture, x: f64, y: f64) -> Rgb {
    let (right, down) = picture.pixel_of(x, y);
    picture.image().get_pixel(right as u32, down as u32).0
}

/// Largest difference between the channels of two colours.
fn difference(a: Rgb, b: Rgb) -> u8 {
    let channels = a.iter().zip(b).map(|(a, b)| a.abs_diff(b));
    channels.max().unwrap_or(0)
}

fn pose(x: f64, y: f64) -> Pose2 {
    Pose2::new(x, y, 0.0)
}

fn open_map(width: usize, height: usize) -> Costmap {
    let geometry = Geometry::unit(width, height).expect("valid size");
    Costmap::filled(geometry, Cost::FREE)
}

fn segment(index: usize, plan: Vec<Pose2>, arrived: bool) -> SegmentFrame {
    SegmentFrame {
        index,
        plan,
        arrived,
        values: None,
        caption: format!("q_halt {index}"),
    }
}

fn decode(path: &Path) -> Vec<image::Frame> {
    let file = BufReader::new(File::open(path).expect("the file is there"));
    let decoder = GifDecoder::new(file).expect("a GIF");
    decoder
        .into_frames()
        .collect_frames()
        .expect("whole frames")
}

#[test]
fn the_top_line_of_the_map_is_at_the_top_of_the_picture() {
    let picture = Picture::new(&costmap(
        "#.
         ..
         .?",
    ));
    let last = (picture.width() - 1, picture.height() - 1);
    assert_eq!(picture.image().get_pixel(0, 0).0, LETHAL);
    assert_eq!(picture.image().get_pixel(last.0, 0).0, FREE);
    assert_eq!(picture.image().get_pixel(0, last.1).0, FREE);
    assert_eq!(picture.image().get_pixel(last.0, last.1).0, UNKNOWN);
}

#[test]
fn pixel_of_puts_the_map_origin_at_the_bottom_left_corner() {
    let origin = Pose2::new(-3.0, 7.0, 0.0);
    let geometry = Geometry::new(40, 20, 0.1, origin).expect("valid");
    let picture = Picture::new(&Costmap::filled(geometry, Cost::FREE));
    let close = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1) < 1e-6;
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    assert!(close(picture.pixel_of(-3.0, 7.0), (0.0, height)));
    assert!(close(picture.pixel_of(1.0, 9.0), (width, 0.0)));
}

#[test]
fn a_turned_map_is_drawn_along_its_own_axes() {
    let origin = Pose2::new(2.0, 1.0, std::f64::consts::FRAC_PI_2);
    let mut map = Costmap::filled(
        Geometry::new(30, 20, 0.5, origin).expect("valid"),
        Cost::FREE,
    );
    let corner = Cell::new(0, 29);
    map.set(corner, Cost::LETHAL);
    let picture = Picture::new(&map);
    let (x, y) = map.geometry().cell_to_world(corner);
    assert_eq!(colour_at(&picture, x, y), LETHAL);
    let bottom_right = (picture.width() - 1, picture.height() - 1);
    assert_eq!(
        picture.image().get_pixel(bottom_right.0, bottom_right.1).0,
        LETHAL
    );
}

#[test]
fn the_longer_side_is_near_900_pixels_with_whole_pixels_per_cell() {
    for (width, height) in [(20, 13), (384, 200), (100, 650), (900, 900)] {
        let picture = Picture::new(&open_map(width, height));
        let longer = picture.width().max(picture.height());
        assert!((600..=1200).contains(&longer), "{width}: {longer}");
        assert_eq!(picture.width() as usize % width, 0);
        assert_eq!(
            picture.width() as usize / width,
            picture.height() as usize / height
        );
    }
}

#[test]
fn every_kind_of_cell_has_its_own_colour_and_cost_shades_evenly() {
    let mut map = open_map(6, 1);
    let costs = [0, 126, 252, 253, 254, 255];
    for (cost, at) in costs.into_iter().zip(map.costs_mut()) {
        *at = Cost(cost);
    }
    let picture = Picture::new(&map);
    let colours: Vec<Rgb> = (0..6)
        .map(|col| colour_at(&picture, f64::from(col) + 0.5, 0.5))
        .collect();
    assert_eq!(colours[0], FREE);
    assert_eq!(colours[3..], [INSCRIBED, LETHAL, UNKNOWN]);
    for (i, &a) in colours.iter().enumerate() {
        for &b in &colours[i + 1..] {
            assert!(difference(a, b) >= 20, "{a:?} and {b:?}");
        }
    }
}

#[test]
fn a_map_of_one_cell_takes_every_layer() {
    let map = costmap(".");
    let mut picture = Picture::new(&map);
    picture.field(&[0.0_f32]).expect("one value");
    picture.heat(&[1.0], 1.0).expect("one value");
    picture
        .plan(&[pose(0.5, 0.5)], PlanStyle::PARTIAL)
        .start(pose(0.5, 0.5))
        .goal(pose(0.5, 0.5))
        .caption(&["one cell"]);
    assert!(picture.height() > 64 && picture.width() >= 64);
}

#[test]
fn a_one_cell_wall_stays_black_when_a_large_map_is_shrunk() {
    let mut map = open_map(4000, 3000);
    for row in 0..3000 {
        map.set(Cell::new(row, 2001), Cost::LETHAL);
    }
    let mut field = vec![1.0_f32; map.costs().len()];
    for row in 0..3000 {
        field[row * 4000 + 2001] = f32::INFINITY;
    }
    let mut picture = Picture::new(&map);
    picture.field(&field).expect("one value per cell");
    assert!((900..=1600).contains(&picture.width()));
    for y in [0.5, 1500.5, 2999.5] {
        assert_eq!(colour_at(&picture, 2001.5, y), LETHAL);
        assert_ne!(colour_at(&picture, 2010.5, y), LETHAL);
    }
}

#[test]
fn averaging_keeps_shares_of_free_and_unknown_space() {
    let mut map = open_map(4000, 30);
    for col in (0..4000).step_by(2) {
        for row in 0..30 {
            map.set(Cell::new(row, col), Cost::UNKNOWN);
        }
    }
    let colour = colour_at(&Picture::new(&map), 2000.0, 15.0);
    assert!(difference(colour, FREE) > 20 && difference(colour, UNKNOWN) > 20);
}

#[test]
fn a_field_is_bright_at_the_goal_dark_far_away_and_absent_where_infinite() {
    let map = costmap("....#.");
    let field = [0.0, 1.0, 2.0, 3.0, f64::INFINITY, f64::INFINITY];
    let mut picture = Picture::new(&map);
    picture.field(&field).expect("one value per cell");
    let brightness = |x: f64| -> u32 {
        // Off the middle, where no iso-line runs.
        let colour = colour_at(&picture, x + 0.03, 0.5);
        colour.iter().map(|&channel| u32::from(channel)).sum()
    };
    assert!(brightness(0.5) > brightness(1.5));
    assert!(brightness(1.5) > brightness(3.5));
    assert_eq!(colour_at(&picture, 4.5, 0.5), LETHAL);
    assert_eq!(colour_at(&picture, 5.5, 0.5), FREE);
}

#[test]
fn the_field_colours_get_darker_all_the_way() {
    let lightness = |colour: Rgb| {
        let [r, g, b] = colour.map(f64::from);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let shades: Vec<f64> = (0..=50)
        .map(|step| lightness(field_colour(step as f32 / 50.0)))
        .collect();
    assert!(shades.windows(2).all(|pair| pair[0] > pair[1]));
    assert_eq!(field_colour(7.0), field_colour(1.0));
}

#[test]
fn layers_with_the_wrong_number_of_values_are_rejected() {
    let map = costmap("...");
    let short = Picture::new(&map).field(&[1.0_f32; 2]).map(|_| ());
    assert!(matches!(
        short,
        Err(Error::DataLength {
            width: 3,
            height: 1,
            actual: 2
        })
    ));
    assert!(Picture::new(&map).heat(&[1.0; 4], 1.0).is_err());
}

#[test]
fn heat_covers_positive_values_only() {
    let map = costmap("....");
    let mut picture = Picture::new(&map);
    picture
        .heat(&[1.0, 0.0, f32::NAN, -2.0], 1.0)
        .expect("one value per cell");
    assert!(difference(colour_at(&picture, 0.5, 0.5), FREE) > 100);
    for x in [1.5, 2.5, 3.5] {
        assert_eq!(colour_at(&picture, x, 0.5), FREE);
    }
}

#[test]
fn a_plan_is_drawn_where_it_runs_and_nowhere_else() {
    let map = open_map(90, 60);
    let plan = [pose(5.0, 10.0), pose(80.0, 10.0), pose(80.0, 50.0)];
    let mut picture = Picture::new(&map);
    picture.plan(&plan, PlanStyle::ARRIVED);
    for (x, y) in [(5.0, 10.0), (40.0, 10.0), (80.0, 10.0), (80.0, 30.0)] {
        let colour = colour_at(&picture, x, y);
        assert_eq!(colour, PlanStyle::ARRIVED.colour, "at ({x}, {y})");
    }
    for (x, y) in [(40.0, 12.0), (40.0, 50.0), (3.0, 10.0), (82.0, 30.0)] {
        assert_eq!(colour_at(&picture, x, y), FREE, "at ({x}, {y})");
    }
}

#[test]
fn a_plan_over_an_obstacle_has_a_light_casing() {
    let map = Costmap::filled(Geometry::unit(90, 60).expect("valid"), Cost::LETHAL);
    let mut picture = Picture::new(&map);
    picture.plan(&[pose(5.0, 30.0), pose(85.0, 30.0)], PlanStyle::ARRIVED);
    let (right, down) = picture.pixel_of(45.0, 30.0);
    let above: Vec<Rgb> = (0..12)
        .map(|up| {
            let row = down as u32 - up;
            picture.image().get_pixel(right as u32, row).0
        })
        .collect();
    assert_eq!(above[0], PlanStyle::ARRIVED.colour);
    assert!(above.contains(&[255, 255, 255]), "{above:?}");
    assert_eq!(above[11], LETHAL);
}

#[test]
fn a_reference_plan_is_dashed() {
    let mut picture = Picture::new(&open_map(90, 60));
    picture.plan(&[pose(5.0, 30.0), pose(85.0, 30.0)], PlanStyle::REFERENCE);
    let colours: Vec<Rgb> = (60..840)
        .map(|tenth| colour_at(&picture, f64::from(tenth) / 10.0, 30.0))
        .collect();
    let ink = PlanStyle::REFERENCE.colour;
    let starts = colours
        .windows(2)
        .filter(|pair| pair[0] != ink && pair[1] == ink)
        .count();
    assert!(starts > 10, "{starts} dashes");
    assert!(colours.contains(&FREE));
}

#[test]
fn an_empty_plan_and_one_without_finite_poses_draw_nothing() {
    let map = open_map(30, 20);
    let plain = Picture::new(&map);
    for plan in [vec![], vec![pose(f64::NAN, 1.0)]] {
        for style in [PlanStyle::ARRIVED, PlanStyle::PARTIAL] {
            let mut picture = plain.clone();
            picture.plan(&plan, style);
            assert_eq!(picture.image(), plain.image());
        }
    }
}

#[test]
fn a_partial_plan_ends_in_a_cross() {
    let map = open_map(90, 60);
    let plan = [pose(10.0, 30.0), pose(50.0, 30.0)];
    let mut picture = Picture::new(&map);
    picture.plan(&plan, PlanStyle::PARTIAL);
    let red = PlanStyle::PARTIAL.colour;
    // 0.6 m on both axes is 6 pixels here: outside the line, on the arms of the cross.
    for (dx, dy) in [(0.6, 0.6), (0.6, -0.6), (-0.6, 0.6), (-0.6, -0.6)] {
        assert_eq!(colour_at(&picture, 50.0 + dx, 30.0 + dy), red);
        assert_ne!(colour_at(&picture, 10.0 + dx, 30.0 + dy), red);
    }
}

#[test]
fn what_leaves_the_map_is_clipped() {
    let map = open_map(30, 20);
    let mut picture = Picture::new(&map);
    let size = (picture.width(), picture.height());
    picture
        .plan(
            &[pose(-1e12, 10.0), pose(1e12, 10.0), pose(1e300, 1e300)],
            PlanStyle::REFERENCE,
        )
        .start(pose(-500.0, 1e9))
        .goal(pose(30.0, 20.0))
        .goal(pose(1e300, -1e308));
    assert_eq!((picture.width(), picture.height()), size);
}

#[test]
fn start_is_green_goal_is_orange_and_both_show_their_heading() {
    let map = open_map(90, 60);
    let mut picture = Picture::new(&map);
    picture
        .start(Pose2::new(20.0, 30.0, std::f64::consts::FRAC_PI_2))
        .goal(Pose2::new(70.0, 30.0, 0.0));
    let [r, g, b] = colour_at(&picture, 19.5, 30.0);
    assert!(g > r && g > b, "start: {r} {g} {b}");
    let [r, g, b] = colour_at(&picture, 70.0, 30.0);
    assert!(r > g && g > b, "goal: {r} {g} {b}");
    // The arrowheads: 1.4 m ahead of the pose there is colour, behind it there is none.
    assert!(difference(colour_at(&picture, 20.0, 31.4), FREE) > 60);
    assert_eq!(colour_at(&picture, 20.0, 28.5), FREE);
    assert!(difference(colour_at(&picture, 71.4, 30.0), FREE) > 60);
    assert_eq!(colour_at(&picture, 68.5, 30.0), FREE);
}

#[test]
fn a_caption_adds_a_strip_below_and_leaves_the_map_alone() {
    let map = costmap(
        "#.....
         ......",
    );
    let plain = Picture::new(&map);
    let mut picture = plain.clone();
    picture.caption(&["A title", "and a line, 3 × 4 m"]);
    assert_eq!(picture.width(), plain.width());
    assert!(picture.height() >= plain.height() + 40);
    for (x, y, pixel) in plain.image().enumerate_pixels() {
        assert_eq!(picture.image().get_pixel(x, y), pixel);
    }
    let strip = (plain.height()..picture.height())
        .flat_map(|y| (0..picture.width()).map(move |x| (x, y)))
        .filter(|&(x, y)| picture.image().get_pixel(x, y).0.iter().all(|&c| c < 100))
        .count();
    assert!(strip > 200, "{strip} dark pixels of text and scale bar");
}

#[test]
fn a_narrow_picture_is_widened_to_the_right_for_its_caption() {
    let map = open_map(10, 100);
    let mut picture = Picture::new(&map);
    let place = picture.pixel_of(5.0, 50.0);
    assert!(picture.width() < 200);
    picture.caption(&["a corridor"]);
    assert!(picture.width() >= 300);
    assert_eq!(picture.pixel_of(5.0, 50.0), place);
}

#[test]
fn a_long_caption_wraps_instead_of_leaving_the_picture() {
    let map = open_map(30, 20);
    let mut short = Picture::new(&map);
    short.caption(&["a title", "words"]);
    let mut long = Picture::new(&map);
    long.caption(&["a title", &"words ".repeat(60), &"x".repeat(300)]);
    assert_eq!(long.width(), short.width());
    assert!(long.height() > short.height() + 80);
}

#[test]
fn a_png_holds_the_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("map.png");
    let mut picture = Picture::new(&costmap("#.?"));
    picture.caption(&[]);
    picture.save_png(&path).expect("written");
    let read = image::open(&path).expect("a PNG").to_rgb8();
    assert_eq!(&read, picture.image());
}

#[test]
fn a_file_that_cannot_be_written_is_named_in_the_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let picture = Picture::new(&costmap("."));
    let png = folder.path().join("absent").join("map.png");
    let gif = folder.path().join("absent").join("map.gif");
    let animation = Animation::new(&picture, Duration::from_millis(100));
    for (result, path) in [
        (picture.save_png(&png), &png),
        (animation.save_gif(&gif), &gif),
    ] {
        let error = result.expect_err("the folder is absent");
        assert!(matches!(&error, Error::WritePicture { path: p, .. } if p == path));
        assert!(error.to_string().contains("check that the folder exists"));
    }
}

#[test]
fn a_gif_holds_every_frame_shows_what_was_drawn_and_loops() {
    let map = open_map(45, 30);
    let mut animation = Animation::new(&Picture::new(&map), Duration::from_millis(200));
    for step in 1..=5 {
        let mut picture = Picture::new(&map);
        let end = pose(8.0 * f64::from(step), 20.0);
        picture.plan(&[pose(2.0, 2.0), end], PlanStyle::ARRIVED);
        let pushed = animation.push(&picture, Duration::from_millis(200));
        pushed.expect("frames of one size");
    }
    // A frame that repeats the one before must still take its time.
    let repeated = Picture::new(&map);
    for _ in 0..2 {
        let pushed = animation.push(&repeated, Duration::from_millis(100));
        pushed.expect("frames of one size");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plans.gif");
    animation.save_gif(&path).expect("written");

    let frames = decode(&path);
    assert_eq!(frames.len(), 8);
    for (frame, (drawn, _)) in frames.iter().zip(animation.frames()) {
        let worst = frame.buffer().pixels().zip(drawn.pixels());
        let worst = worst.map(|(read, drawn)| {
            let [r, g, b, a] = read.0;
            assert_eq!(a, 255);
            difference([r, g, b], drawn.0)
        });
        assert!(worst.max() <= Some(24));
    }
    let delays: Vec<u32> = frames
        .iter()
        .map(|frame| frame.delay().numer_denom_ms().0)
        .collect();
    assert_eq!(delays, [200, 200, 200, 200, 200, 200, 100, 2100]);
    let bytes = std::fs::read(&path).expect("readable");
    // The loop extension of the GIF format, with a count of 0: for ever.
    let forever = b"NETSCAPE2.0\x03\x01\x00\x00\x00";
    assert!(bytes.windows(forever.len()).any(|part| part == forever));
}

#[test]
fn a_frame_of_another_size_is_rejected() {
    let mut animation = Animation::new(&Picture::new(&costmap("..")), Duration::ZERO);
    let result = animation.push(&Picture::new(&costmap("...")), Duration::ZERO);
    assert!(matches!(result, Err(Error::FrameSize { .. })));
    assert_eq!(animation.frames().len(), 1);
}

#[test]
fn thinking_shows_the_question_then_a_frame_per_segment() {
    let map = open_map(90, 60);
    let (start, goal) = (pose(10.0, 10.0), pose(80.0, 50.0));
    let bend = pose(45.0, 10.0);
    let segments = [
        segment(1, vec![], false),
        segment(2, vec![start, bend], false),
        SegmentFrame {
            values: Some(vec![3.0; map.costs().len()]),
            caption: "a caption so long that it has to wrap ".repeat(6),
            ..segment(3, vec![start, bend, goal], true)
        },
        segment(4, vec![start, goal], true),
    ];
    let animation = thinking_animation(&map, start, goal, &segments, None).expect("valid segments");
    assert_eq!(animation.frames().len(), 5);

    let plain = Picture::new(&map);
    let colour = |frame: usize, x: f64, y: f64| {
        let (right, down) = plain.pixel_of(x, y);
        let image = &animation.frames()[frame].0;
        image.get_pixel(right as u32, down as u32).0
    };
    let on_first_leg = |frame| colour(frame, 30.0, 10.0);
    assert_eq!(on_first_leg(0), FREE);
    assert_eq!(on_first_leg(1), FREE);
    assert_eq!(on_first_leg(2), PlanStyle::PARTIAL.colour);
    assert_eq!(on_first_leg(3), PlanStyle::ARRIVED.colour);
    assert_eq!(colour(4, 45.0, 30.0), PlanStyle::ARRIVED.colour);
    let faded = on_first_leg(4);
    assert!(faded != FREE && difference(faded, FREE) < 150, "{faded:?}");
}

#[test]
fn thinking_ends_with_the_published_plan() {
    let map = open_map(90, 60);
    let (start, goal) = (pose(10.0, 10.0), pose(80.0, 50.0));
    let segments = [segment(1, vec![start, pose(45.0, 10.0)], false)];
    let published = PublishedPlan {
        plan: vec![start, goal],
        title: "Plan by the search".to_owned(),
        caption: "80 m".to_owned(),
    };
    let animation = thinking_animation(&map, start, goal, &segments, Some(&published));
    let animation = animation.expect("valid segments");
    assert_eq!(animation.frames().len(), 3);
    let (right, down) = Picture::new(&map).pixel_of(45.0, 30.0);
    let middle = animation.frames()[2].0.get_pixel(right as u32, down as u32);
    assert_eq!(middle.0, PlanStyle::ARRIVED.colour);
}

#[test]
fn thinking_without_segments_is_the_question_alone() {
    let map = open_map(9, 6);
    let animation = thinking_animation(&map, pose(1.0, 1.0), pose(8.0, 5.0), &[], None);
    assert_eq!(animation.expect("valid").frames().len(), 1);
}

#[test]
fn thinking_rejects_values_that_do_not_fit_the_map() {
    let map = open_map(9, 6);
    let segments = [SegmentFrame {
        values: Some(vec![1.0; 5]),
        ..segment(1, vec![], false)
    }];
    let result = thinking_animation(&map, pose(1.0, 1.0), pose(8.0, 5.0), &segments, None);
    assert!(matches!(result, Err(Error::DataLength { actual: 5, .. })));
}

#[test]
fn thirty_frames_of_thinking_make_a_small_file() {
    let map = hrm_planner::grid::demo_map();
    let cells = map.geometry().cells();
    let segments: Vec<SegmentFrame> = (1..30_u16)
        .map(|index| {
            let reach = f64::from(index) * 0.5;
            let values = (0..cells).map(|i| {
                let (x, y) = map.geometry().cell_to_world(map.geometry().cell(i));
                let away = x.hypot(y);
                let seen = away < reach && map.costs()[i] == Cost::FREE;
                if seen { away as f32 } else { f32::NAN }
            });
            let waves = (0..200).map(|step| {
                let along = f64::from(step) / 200.0;
                let across = (along * 20.0 + f64::from(index)).sin();
                pose(along * reach, across + 4.0)
            });
            SegmentFrame {
                values: Some(values.collect()),
                ..segment(usize::from(index), waves.collect(), index > 20)
            }
        })
        .collect();
    let animation = thinking_animation(&map, pose(0.0, 0.0), pose(14.0, 10.0), &segments, None);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("thinking.gif");
    animation
        .expect("valid segments")
        .save_gif(&path)
        .expect("written");
    assert_eq!(decode(&path).len(), 30);
    let bytes = std::fs::metadata(&path).expect("written").len();
    assert!(bytes < 3_000_000, "{bytes} bytes");
}
