//! A complete search for the solutions of a board: whether there are none, one or many, and how
//! hard it was to tell.
//!
//! Cells with one candidate and digits with one place in a row, column or box are filled in first;
//! where neither is left, the fewest choices of which one must be right are guessed in turn: the
//! candidates of the narrowest cell, or the two places of a digit. Candidates are bit masks, bit d
//! for the digit d.

use super::board::{Board, CELLS, SIDE, UNITS};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The digits 1 to 9 as a mask.
const ALL: u16 = 0b11_1111_1110;

/// How many solutions a board has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solutions {
    /// None: it breaks the rules or leads to a contradiction.
    None,
    /// Exactly this one, as a proper Sudoku has.
    One(Board),
    /// More than one, of which these are two.
    Many([Board; 2]),
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The solutions.
    pub solutions: Solutions,
    /// Guesses that led to a contradiction; 0 for a board that needs no guess.
    ///
    /// For a board with one solution the search proves that there is no other, so that the number
    /// depends on no luck with the order of guesses, only on which of several equally narrow
    /// places is guessed: it is the same after relabelling digits, and may differ after moving
    /// rows or columns. The ratings of the published data set are backtracks too, of a solver with
    /// stronger deduction (tdoku), and not comparable.
    pub backtracks: u64,
}

/// Searches for the solutions of a board until all or two are found.
pub fn solve(board: &Board) -> Verdict {
    let mut search = Search::new(2, None);
    search.run(board);
    let solutions = match search.found[..] {
        [] => Solutions::None,
        [one] => Solutions::One(one),
        [first, second, ..] => Solutions::Many([first, second]),
    };
    Verdict {
        solutions,
        backtracks: search.backtracks,
    }
}

/// A random full board; all of them can be drawn, not all equally often.
pub(super) fn random_solution(dice: &mut ChaCha8Rng) -> Board {
    let mut search = Search::new(1, Some(dice));
    search.run(&Board::BLANK);
    // A blank board has solutions, so the search has found one.
    search.found.first().copied().unwrap_or(Board::BLANK)
}

struct Search<'a> {
    /// Enough solutions.
    limit: usize,
    /// Who shuffles the choices of a guess; without, they are tried in order.
    dice: Option<&'a mut ChaCha8Rng>,
    found: Vec<Board>,
    backtracks: u64,
}

impl<'a> Search<'a> {
    fn new(limit: usize, dice: Option<&'a mut ChaCha8Rng>) -> Self {
        Self {
            limit,
            dice,
            found: Vec::new(),
            backtracks: 0,
        }
    }

    fn run(&mut self, board: &Board) {
        if !board.is_legal() {
            return;
        }
        let mut position = Position::new(board);
        if position.deduce() {
            self.guess(&position);
        }
    }

    /// Finds the solutions of a position in which nothing can be deduced any more.
    fn guess(&mut self, position: &Position) {
        let mut choices = position.narrowest();
        if choices.is_empty() {
            self.found.push(Board::of(position.cells));
            return;
        }
        if let Some(dice) = &mut self.dice {
            choices.shuffle(*dice);
        }
        for (cell, digit) in choices {
            let mut next = position.clone();
            next.place(cell, digit);
            if next.deduce() {
                self.guess(&next);
            } else {
                self.backtracks += 1;
            }
            if self.found.len() >= self.limit {
                return;
            }
        }
    }
}

/// A legal board on the way to a solution.
#[derive(Clone)]
struct Position {
    cells: [u8; CELLS],
    /// The digits in each row, column and box.
    used: [[u16; SIDE]; 3],
}

impl Position {
    fn new(board: &Board) -> Self {
        let mut position = Self {
            cells: [0; CELLS],
            used: [[0; SIDE]; 3],
        };
        for (cell, &digit) in board.cells().iter().enumerate() {
            if digit != 0 {
                position.place(cell, digit);
            }
        }
        position
    }

    fn place(&mut self, cell: usize, digit: u8) {
        self.cells[cell] = digit;
        for (kind, unit) in units_of(cell).into_iter().enumerate() {
            self.used[kind][unit] |= 1 << digit;
        }
    }

    /// The digits that a cell's row, column and box leave.
    fn candidates(&self, cell: usize) -> u16 {
        let [row, column, square] = units_of(cell);
        ALL & !(self.used[0][row] | self.used[1][column] | self.used[2][square])
    }

    /// Fills in what follows without a guess; false on a contradiction.
    fn deduce(&mut self) -> bool {
        loop {
            let progress = match self.fill_single_candidates() {
                Some(false) => self.fill_single_places(),
                other => other,
            };
            match progress {
                Some(true) => {}
                Some(false) => return true,
                None => return false,
            }
        }
    }

    /// Fills cells with one candidate; `None` if a cell has none, else whether any was filled.
    fn fill_single_candidates(&mut self) -> Option<bool> {
        let mut progress = false;
        for cell in 0..CELLS {
            if self.cells[cell] != 0 {
                continue;
            }
            let candidates = self.candidates(cell);
            if candidates == 0 {
                return None;
            }
            if candidates.is_power_of_two() {
                self.place(cell, digit_of(candidates));
                progress = true;
            }
        }
        Some(progress)
    }

    /// Fills digits that have one place in a row, column or box; `None` if one has none there,
    /// else whether any was filled.
    fn fill_single_places(&mut self) -> Option<bool> {
        let mut progress = false;
        for unit in &UNITS {
            let (mut once, mut more, mut placed) = (0, 0, 0);
            for &cell in unit {
                if self.cells[cell] == 0 {
                    let candidates = self.candidates(cell);
                    more |= once & candidates;
                    once |= candidates;
                } else {
                    placed |= 1 << self.cells[cell];
                }
            }
            if once | placed != ALL {
                return None;
            }
            let single = once & !more;
            if single == 0 {
                continue;
            }
            for &cell in unit {
                if self.cells[cell] != 0 {
                    continue;
                }
                let here = self.candidates(cell) & single;
                if here.is_power_of_two() {
                    self.place(cell, digit_of(here));
                    progress = true;
                } else if here != 0 {
                    // Two digits have their only place in one cell.
                    return None;
                }
            }
        }
        Some(progress)
    }

    /// The fewest choices of which one must be right: the candidates of a cell, or the two places
    /// of a digit where no cell has two candidates; none on a full board.
    fn narrowest(&self) -> Vec<(usize, u8)> {
        let blanks = (0..CELLS).filter(|&cell| self.cells[cell] == 0);
        let cells = blanks.map(|cell| (cell, self.candidates(cell)));
        let Some((cell, candidates)) = cells.min_by_key(|(_, mask)| mask.count_ones()) else {
            return Vec::new();
        };
        if candidates.count_ones() > 2
            && let Some((digit, places)) = self.two_places()
        {
            return places.map(|cell| (cell, digit)).to_vec();
        }
        digits_of(candidates).map(|digit| (cell, digit)).collect()
    }

    /// A digit with two places in a row, column or box, and these: of the first unit with such a
    /// digit the first pair of cells, so that the choice does not depend on how digits are called.
    fn two_places(&self) -> Option<(u8, [usize; 2])> {
        UNITS.iter().find_map(|unit| {
            let masks = unit.map(|cell| match self.cells[cell] {
                0 => self.candidates(cell),
                _ => 0,
            });
            let (mut once, mut twice, mut more) = (0, 0, 0);
            for mask in masks {
                more |= twice & mask;
                twice |= once & mask;
                once |= mask;
            }
            let pair = |digit: u8| {
                let mut places = (0..SIDE).filter(|&place| masks[place] & (1 << digit) != 0);
                Some((digit, [unit[places.next()?], unit[places.next()?]]))
            };
            let pairs = digits_of(twice & !more).filter_map(pair);
            pairs.min_by_key(|(_, places)| *places)
        })
    }
}

/// The row, column and box of a cell.
fn units_of(cell: usize) -> [usize; 3] {
    let (row, column) = (cell / SIDE, cell % SIDE);
    [row, column, row / 3 * 3 + column / 3]
}

/// The digits of a mask, from 1 to 9.
fn digits_of(mask: u16) -> impl Iterator<Item = u8> {
    (1..=SIDE as u8).filter(move |&digit| mask & (1 << digit) != 0)
}

/// The digit of a mask of one.
fn digit_of(mask: u16) -> u8 {
    mask.trailing_zeros() as u8
}
