//! Moves are drawn where they lead, sheets hold all their tiles, and charts draw what can be drawn.

use crate::common::costmap;
use hrm_planner::Error;
use hrm_planner::view::{Axis, Chart, Panel, Picture, Rgb, Series, Sheet, Tile};

const RED: Rgb = [200, 30, 30];

fn series(points: &[(f64, f64)]) -> Series {
    Series {
        name: Some("line".to_owned()),
        colour: RED,
        opacity: 1.0,
        width: 3.0,
        points: points.to_vec(),
    }
}

fn chart(axis: Axis, points: &[(f64, f64)]) -> Chart {
    let panel = Panel {
        title: "panel".to_owned(),
        axis,
        series: vec![series(points)],
    };
    Chart::new("chart", "x", &[panel])
}

/// Pixels of the line's colour, without those of the legend above the plot.
fn line_pixels(chart: &Chart) -> Vec<(u32, u32)> {
    let pixels = chart.image().enumerate_pixels();
    pixels
        .filter(|(_, y, pixel)| *y > 80 && pixel.0 == RED)
        .map(|(x, y, _)| (x, y))
        .collect()
}

#[test]
fn a_move_is_a_stroke_from_the_centre_towards_its_neighbour() {
    let map = costmap("...");
    let plain = Picture::sized(&map, 300);
    let mut drawn = plain.clone();
    drawn.moves(&[0, 0b1, 0]).expect("one set per cell");
    let (x, y) = plain.pixel_of(1.5, 0.5);
    let differs = |right: f64| {
        let at = |picture: &Picture| *picture.image().get_pixel((x + right) as u32, y as u32);
        at(&plain) != at(&drawn)
    };
    assert!(differs(20.0), "east of the centre");
    assert!(!differs(-20.0), "west of the centre");
}

#[test]
fn sets_of_moves_must_be_one_per_cell() {
    let mut picture = Picture::new(&costmap("..."));
    let error = picture.moves(&[0, 0]).map(|_| ());
    assert!(matches!(error, Err(Error::DataLength { actual: 2, .. })));
}

#[test]
fn a_goal_point_has_no_heading() {
    let map = costmap("...\n...\n...");
    let mut picture = Picture::sized(&map, 300);
    picture.goal_point(1.5, 1.5);
    let image = picture.image();
    let (width, height) = image.dimensions();
    for (x, y, pixel) in image.enumerate_pixels() {
        assert_eq!(pixel, image.get_pixel(width - 1 - x, y));
        assert_eq!(pixel, image.get_pixel(x, height - 1 - y));
    }
}

#[test]
fn a_sheet_grows_with_its_rows_and_holds_pictures_of_any_size() {
    let tile = |art: &str| Tile {
        pictures: vec![Picture::sized(&costmap(art), 120)],
        lines: vec!["a line of text that is longer than the picture is wide".to_owned()],
    };
    let tiles = [tile("..\n.."), tile("...\n###"), tile("#\n.\n.")];
    let height = |count: usize| Sheet::new(&["title"], &tiles[..count], 2).image().height();
    assert_eq!(height(1), height(2));
    assert!(height(3) > height(2) + 100);
    assert!(height(0) > 0);
}

#[test]
fn a_line_goes_from_left_to_right_and_higher_values_are_higher() {
    let pixels = line_pixels(&chart(Axis::Linear, &[(0.0, 1.0), (10.0, 5.0)]));
    let first = pixels.iter().min().expect("a line");
    let last = pixels.iter().max().expect("a line");
    assert!(last.0 > first.0 + 900);
    assert!(last.1 + 250 < first.1);
}

#[test]
fn a_logarithmic_axis_has_even_factors() {
    let decades = [(0.0, 0.01), (1.0, 0.1), (2.0, 1.0)];
    let pixels = line_pixels(&chart(Axis::Log, &decades));
    let (left, right) = (pixels.iter().min().unwrap(), pixels.iter().max().unwrap());
    let middle = u32::midpoint(left.0, right.0);
    let near = pixels.iter().filter(|p| p.0 == middle).map(|p| p.1);
    let (low, high) = (near.clone().min().unwrap(), near.max().unwrap());
    let straight = u32::midpoint(left.1, right.1);
    assert!((low..=high + 4).contains(&straight), "a straight line");
}

#[test]
fn points_that_cannot_be_drawn_break_the_line() {
    let nan = [(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)];
    let count = line_pixels(&chart(Axis::Linear, &nan)).len();
    assert!((1..200).contains(&count), "two dots, {count} pixels");
    let negative = [(0.0, 1.0), (1.0, -1.0), (2.0, 1.0)];
    let count = line_pixels(&chart(Axis::Log, &negative)).len();
    assert!((1..200).contains(&count), "two dots, {count} pixels");
}

#[test]
fn a_chart_of_nothing_is_drawn() {
    assert!(chart(Axis::Log, &[]).image().height() > 300);
    assert!(Chart::new("none", "x", &[]).image().height() > 0);
}

#[test]
fn a_legend_without_room_beside_the_title_takes_rows_of_its_own() {
    let height = |lines: usize| {
        let named = |_| Series {
            name: Some("a line".to_owned()),
            ..series(&[])
        };
        let panel = Panel {
            title: "a panel".to_owned(),
            axis: Axis::Linear,
            series: (0..lines).map(named).collect(),
        };
        Chart::new("chart", "x", &[panel]).image().height()
    };
    assert_eq!(height(0), height(4), "beside the title");
    let heights: Vec<u32> = (4..60).map(height).collect();
    let mut growth: Vec<u32> = heights.windows(2).map(|pair| pair[1] - pair[0]).collect();
    growth.retain(|&pixels| pixels > 0);
    assert!(
        (3..12).contains(&growth.len()),
        "rows of several lines: {growth:?}"
    );
    assert!(
        growth.iter().all(|&row| row == growth[0] && row < 40),
        "{growth:?}"
    );
}
