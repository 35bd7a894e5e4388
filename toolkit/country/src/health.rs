//! Check-up values: each person has a constitution, each year adds its noise.

use crate::chance::Chance;

/// The item codes of `checkup.csv`, in column order (17 digits, table of specific health check-ups).
pub const CHECKUP_ITEMS: [&str; 28] = [
    "9N001000000000001", // height, cm
    "9N006000000000001", // weight, kg
    "9N011000000000001", // BMI
    "9N016160100000001", // waist, cm
    "9A751000000000001", // systolic pressure, first
    "9A761000000000001", // diastolic pressure, first
    "3F015000002327101", // triglycerides
    "3F070000002327101", // HDL
    "3F077000002327101", // LDL
    "3B035000002327201", // AST
    "3B045000002327201", // ALT
    "3B090000002327101", // gamma GT
    "3C015000002327101", // creatinine
    "8A065000002391901", // eGFR
    "3C020000002327101", // uric acid
    "3D010000001926101", // fasting glucose
    "3D046000001906202", // HbA1c (NGSP)
    "1A020000000191111", // urine glucose
    "1A010000000191111", // urine protein
    "2A030000001930101", // haemoglobin
    "9N701000000000011", // medication for blood pressure
    "9N706000000000011", // medication for glucose
    "9N711000000000011", // medication for lipids
    "9N736000000000011", // smoking
    "9N786000000000011", // alcohol
    "9N746000000000011", // exercise
    "9N501000000000011", // metabolic syndrome
    "9N506000000000011", // guidance level
];

/// What makes a person's values extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extreme {
    None,
    /// Systolic pressure of 211 and more.
    Pressure,
    /// Weight of 150 kg and more.
    Weight,
}

/// A person's constitution.
#[derive(Debug)]
pub(crate) struct Constitution {
    male: bool,
    extreme: Extreme,
    height: f64,
    build: f64,
    pressure: f64,
    glucose: f64,
    lipids: f64,
    liver: f64,
    kidney: f64,
    fate: [f64; 6],
    excess: f64,
}

impl Constitution {
    pub(crate) fn draw(male: bool, extreme: Extreme, chance: &mut Chance) -> Self {
        Self {
            male,
            extreme,
            height: chance.normal(),
            build: chance.normal(),
            pressure: chance.normal(),
            glucose: chance.normal(),
            lipids: chance.normal(),
            liver: chance.normal(),
            kidney: chance.normal(),
            fate: std::array::from_fn(|_| chance.unit()),
            excess: chance.unit(),
        }
    }

    /// The values of one check-up at `age`, as texts in the order of [`CHECKUP_ITEMS`].
    pub(crate) fn checkup(&self, age: i32, year: &mut Chance) -> [String; 28] {
        let age = f64::from(age);
        let male = self.male;
        let by_sex = |m: f64, f: f64| if male { m } else { f };
        let mut noise = |scale: f64| year.normal() * scale;

        let height =
            by_sex(171.5, 158.5) - (age - 40.0).max(0.0) * 0.11 + self.height * by_sex(5.8, 5.4);
        let metre = height / 100.0;
        let mut bmi =
            by_sex(23.7, 22.3) + self.build * 3.1 + self.build.max(0.0) * 0.9 + noise(0.4);
        bmi = bmi.max(14.5);
        let mut weight = bmi * metre * metre;
        if self.extreme == Extreme::Weight {
            weight = 150.0 + self.excess * 18.0;
            bmi = weight / (metre * metre);
        }
        let waist = by_sex(14.0, 15.0) + bmi * by_sex(2.95, 2.85) + noise(2.0);

        let heavy = (bmi - 22.0) * 0.9;
        let hypertension = self.fate[0] < ((age - 32.0) * 0.0125).clamp(0.01, 0.62);
        let treated_pressure = hypertension && self.fate[1] < 0.6;
        let mut systolic = 112.0 + (age - 40.0) * 0.35 + heavy + self.pressure * 9.0 + noise(5.0);
        systolic += match (hypertension, treated_pressure) {
            (true, false) => 22.0,
            (true, true) => 8.0,
            _ => 0.0,
        };
        let mut diastolic =
            66.0 + systolic * 0.09 - (age - 62.0).max(0.0) * 0.2 + self.pressure * 5.0 + noise(4.0);
        if self.extreme == Extreme::Pressure {
            systolic = 211.0 + self.excess * 22.0;
            diastolic = 108.0 + self.excess * 20.0;
        }

        let risk = ((age - 35.0) * by_sex(0.0045, 0.0028) + (bmi - 23.0) * 0.012).clamp(0.005, 0.4);
        let diabetes = self.fate[2] < risk;
        let treated_glucose = diabetes && self.fate[3] < 0.55;
        let hba1c = if diabetes {
            (7.0 + self.glucose * 0.9 + noise(0.25)).max(6.2)
        } else {
            5.5 + self.glucose * 0.22 + noise(0.08)
        };
        let fasting = (hba1c * 24.0 - 34.0 + noise(5.0)).max(66.0);

        let ldl_high = self.lipids > 0.9;
        let treated_lipids = ldl_high && self.fate[4] < 0.5;
        let ldl = by_sex(120.0, 122.0) + self.lipids * 27.0 + noise(7.0)
            - if treated_lipids { 42.0 } else { 0.0 };
        let triglycerides =
            (by_sex(118.0, 92.0) + heavy * 6.0 + self.lipids * 32.0 + noise(22.0)).max(28.0);
        let hdl = (by_sex(57.0, 68.0) - heavy * 1.1 - self.lipids * 4.0 + noise(4.0)).max(24.0);

        let ast = (22.0 + heavy * 0.5 + self.liver * 5.0 + self.liver.max(0.0) * 5.0).max(10.0);
        let alt = (by_sex(23.0, 17.0) + heavy * 1.1 + self.liver * 7.0 + noise(2.0)).max(6.0);
        let gamma = (by_sex(36.0, 21.0) + heavy + self.liver * 14.0 + noise(3.0)).max(8.0);

        let creatinine = (by_sex(0.80, 0.60)
            + (age - 50.0).max(0.0) * 0.0028
            + self.kidney * 0.09
            + self.kidney.max(0.0) * 0.08)
            .max(0.35);
        let egfr =
            194.0 * creatinine.powf(-1.094) * age.max(18.0).powf(-0.287) * by_sex(1.0, 0.739);
        let uric = (by_sex(6.0, 4.6) + heavy * 0.06 + noise(0.5)).max(1.5);
        let haemoglobin = by_sex(14.9, 13.1) - (age - 65.0).max(0.0) * 0.035 + noise(0.8);

        let urine = |mark: f64| match mark {
            ..0.88 => "1",
            0.88..0.95 => "2",
            0.95..0.985 => "3",
            0.985..0.996 => "4",
            _ => "5",
        };
        let worse = if egfr < 45.0 || diabetes { 0.1 } else { 0.0 };
        let protein = urine((self.fate[5] * 0.9 + worse).min(0.999));
        let sugar = urine(if hba1c >= 8.0 { 0.97 } else { self.fate[5] * 0.87 });

        let large = waist >= by_sex(85.0, 90.0);
        let risks = [
            triglycerides >= 150.0 || hdl < 40.0 || treated_lipids,
            systolic >= 130.0 || diastolic >= 85.0 || treated_pressure,
            fasting >= 110.0 || treated_glucose,
        ];
        let risks = risks.into_iter().filter(|r| *r).count();
        let syndrome = match (large, risks) {
            (true, 2..) => "1",
            (true, 1) => "2",
            _ => "3",
        };
        let treated = treated_pressure || treated_glucose || treated_lipids;
        let guidance = match (large && !treated, risks) {
            (true, 2..) if age < 65.0 => "1",
            (true, 1..) => "2",
            _ => "3",
        };
        let yes = |b: bool| if b { "1" } else { "2" };
        let smoking = match self.fate[1] {
            x if x < by_sex(0.25, 0.07) => "1",
            x if x < by_sex(0.52, 0.16) => "2",
            _ => "3",
        };
        let alcohol = ((self.fate[4] * by_sex(7.99, 7.99)).floor() as u32 + 1).to_string();

        [
            format!("{height:.1}"),
            format!("{weight:.1}"),
            format!("{bmi:.1}"),
            format!("{waist:.1}"),
            format!("{systolic:.0}"),
            format!("{:.0}", diastolic.clamp(38.0, 140.0)),
            format!("{triglycerides:.0}"),
            format!("{hdl:.0}"),
            format!("{:.0}", ldl.max(35.0)),
            format!("{ast:.0}"),
            format!("{alt:.0}"),
            format!("{gamma:.0}"),
            format!("{creatinine:.2}"),
            format!("{egfr:.1}"),
            format!("{uric:.1}"),
            format!("{fasting:.0}"),
            format!("{hba1c:.1}"),
            sugar.into(),
            protein.into(),
            format!("{haemoglobin:.1}"),
            yes(treated_pressure).into(),
            yes(treated_glucose).into(),
            yes(treated_lipids).into(),
            smoking.into(),
            alcohol,
            yes(self.fate[3] < 0.4).into(),
            syndrome.into(),
            guidance.into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Purpose, Streams};

    #[test]
    fn values_lie_where_japanese_checkups_lie() {
        assert!(CHECKUP_ITEMS.iter().all(|code| code.len() == 17));
        let streams = Streams::new(1, Purpose::Health);
        let years = Streams::new(1, Purpose::Checkup);
        let mut mean = [0.0; 28];
        let people = 20_000;
        for i in 0..people {
            let body = Constitution::draw(i % 2 == 0, Extreme::None, &mut streams.of(i));
            let values = body.checkup(40 + (i % 35) as i32, &mut years.of(i));
            for (sum, value) in mean.iter_mut().zip(&values) {
                *sum += value.parse::<f64>().expect("a number") / people as f64;
            }
            let pressure: f64 = values[4].parse().expect("a number");
            assert!((70.0..211.0).contains(&pressure));
        }
        for (column, low, high) in [
            (0, 160.0, 166.0),
            (2, 22.5, 24.5),
            (4, 122.0, 134.0),
            (5, 70.0, 82.0),
            (8, 112.0, 126.0),
            (13, 72.0, 88.0),
            (16, 5.4, 6.0),
        ] {
            assert!((low..high).contains(&mean[column]), "column {column}: {}", mean[column]);
        }
    }

    #[test]
    fn planted_extremes_are_extreme() {
        let streams = Streams::new(1, Purpose::Health);
        for i in 0..50 {
            let chance = &mut streams.of(i);
            let pressed = Constitution::draw(true, Extreme::Pressure, chance).checkup(60, chance);
            assert!(pressed[4].parse::<u32>().is_ok_and(|v| v >= 211));
            let heavy = Constitution::draw(true, Extreme::Weight, chance).checkup(44, chance);
            assert!(heavy[1].parse::<f64>().is_ok_and(|v| v >= 150.0));
        }
    }
}
