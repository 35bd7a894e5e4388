//! MML (Medical Markup Language) 4, and 3 where it is written without a document type: one patient per file.
//!
//! Enters: the bytes of one file, or of one module with the patient's key. Leaves: [`Parsed`]; the person is the id in
//! `masterId`, which the facility in its `tableId` has given. Refuses (`rejected`): what [`crate::xml`] refuses, another
//! root, no `masterId`, two patients in one file, a My Number.
//!
//! Elements are bound by local name, because name space addresses differ between versions. Modules inside modules (a prescription
//! in a progress note) are read like those on top. Modules without a canonical table (CLAIM, hemodialysis) are named in
//! `unread`, as is every element nobody looks at.
//!
//! Source: MML 4.1.2 schemas of the MedXML Consortium.

mod clinical;
mod drugs;
mod notes;
mod person;

use crate::{
    arena::Arena,
    record::{Parsed, Text},
    text,
    xml::{self, Document, Element},
};

/// Content modules, by the local name of their root.
const MODULES: [&str; 20] = [
    "PatientModule",
    "HealthInsuranceModule",
    "RegisteredDiagnosisModule",
    "TestModule",
    "PrescriptionModule",
    "InjectionModule",
    "SurgeryModule",
    "ProcedureModule",
    "VitalSignModule",
    "FlowSheetModule",
    "BaseClinicModule",
    "FirstClinicModule",
    "LifestyleModule",
    "ProgressCourseModule",
    "SummaryModule",
    "ReferralModule",
    "ReportModule",
    "HemoDialysisModule",
    "ClaimModule",
    "ClaimAmountModule",
];

/// Is a file with this root element MML?
pub fn is_root(name: &str) -> bool {
    name == "Mml" || MODULES.contains(&name)
}

/// Reads one file. A file that is a module alone names no patient and is refused; see [`parse_module`].
/// What is made stands in the arena.
pub fn parse_file<'a>(bytes: &'a [u8], arena: &'a Arena) -> Parsed<'a> {
    read(bytes, None, arena)
}

/// Reads a module that stands alone, of a patient who is known from elsewhere.
pub fn parse_module<'a>(bytes: &'a [u8], person: &str, arena: &'a Arena) -> Parsed<'a> {
    read(bytes, Some(person), arena)
}

fn read<'a>(bytes: &'a [u8], person: Option<&str>, arena: &'a Arena) -> Parsed<'a> {
    match xml::decode(bytes) {
        Ok(text) => parse_text(arena.keep(text), person, arena),
        Err(error) => Parsed::rejected(error.rule(), error.position()),
    }
}

fn parse_text<'a>(text: &'a str, person: Option<&str>, arena: &'a Arena) -> Parsed<'a> {
    let document = match Document::parse(text, arena) {
        Ok(document) => document,
        Err(error) => return Parsed::rejected(error.rule(), error.position()),
    };
    let root = document.root();
    let mut walk = Walk {
        arena,
        out: Parsed::default(),
        about: About::default(),
        counted: Vec::new(),
        administered: false,
    };
    let header = root.child("MmlHeader");
    let master = header.and_then(|h| h.path(&["masterId", "Id"])).and_then(|id| id.text());
    match (root.name(), person, master) {
        ("Mml", None, None) => return Parsed::rejected("mml.no-person", "MmlHeader"),
        ("Mml", None, Some(master)) => walk.out.person = Some(master),
        (name, Some(person), None) if MODULES.contains(&name) => {
            walk.out.person = Some(arena.text(person));
        }
        (name, None, None) if MODULES.contains(&name) => {
            return Parsed::rejected("mml.no-person", "file");
        }
        _ => return Parsed::rejected("mml.root", "file"),
    }
    if walk.out.person.is_some_and(text::holds_my_number) {
        return Parsed::rejected("my-number", "MmlHeader");
    }
    if root.name() == "Mml" {
        let items = root.child("MmlBody");
        for (index, item) in items.iter().flat_map(|b| b.all("MmlModuleItem")).enumerate() {
            walk.about = About::of(item, index + 1);
            let Some(content) = item.child("content") else { continue };
            for module in content.children() {
                walk.module(module);
            }
        }
        if items.is_none() {
            walk.out.note_issue("mml.no-content", "MmlBody");
        }
    } else {
        walk.module(root);
    }
    let mut out = walk.out;
    if out.rejected {
        out.person = None;
        return out;
    }
    document.unread(|parent, name| out.note_unread_in(parent, name));
    out
}

/// What the document around a module says.
#[derive(Default, Clone)]
struct About<'a> {
    /// Number of the item, from 1; 0 for a module alone.
    item: usize,
    confirmed: Text<'a>,
    title: Text<'a>,
    author: Text<'a>,
}

impl<'a> About<'a> {
    fn of(item: Element<'_, 'a>, number: usize) -> Self {
        let info = item.child("docInfo");
        let author = info.and_then(|i| i.path(&["CreatorInfo", "PersonalizedInfo", "personName"]));
        Self {
            item: number,
            confirmed: info.and_then(|i| i.child_text("confirmDate")),
            title: info.and_then(|i| i.child_text("title")),
            author: author.and_then(|a| person::name(a).0),
        }
    }
}

struct Walk<'a> {
    arena: &'a Arena,
    out: Parsed<'a>,
    about: About<'a>,
    /// How many elements of a name were read: positions count through the file.
    counted: Vec<(&'static str, usize)>,
    /// Drugs are such as were given, not such as were ordered.
    administered: bool,
}

impl<'a> Walk<'a> {
    /// `item[2] medication[5]`: the fifth medication of the file, in its second item.
    fn at(&mut self, name: &'static str) -> &'a str {
        let number = match self.counted.iter_mut().find(|(known, _)| *known == name) {
            Some((_, number)) => {
                *number += 1;
                *number
            }
            None => {
                self.counted.push((name, 1));
                1
            }
        };
        self.arena.text(&format!("item[{}] {name}[{number}]", self.about.item))
    }

    fn module(&mut self, module: Element<'_, 'a>) {
        match module.name() {
            "PatientModule" => person::patient(self, module),
            "HealthInsuranceModule" => person::insurance(self, module),
            "RegisteredDiagnosisModule" => clinical::diagnosis(self, module),
            "TestModule" => clinical::test(self, module),
            "PrescriptionModule" => drugs::prescription(self, module),
            "InjectionModule" => drugs::injection(self, module),
            "SurgeryModule" => clinical::surgery(self, module),
            "ProcedureModule" => clinical::procedure(self, module),
            "VitalSignModule" => clinical::vital_signs(self, module),
            "FlowSheetModule" => clinical::flow_sheet(self, module),
            "BaseClinicModule" => clinical::base(self, module),
            "FirstClinicModule" => notes::first_visit(self, module),
            "LifestyleModule" => clinical::lifestyle(self, module),
            "ProgressCourseModule" | "ReferralModule" | "ReportModule" => {
                notes::text(self, module);
            }
            "SummaryModule" => notes::summary(self, module),
            name => {
                let known = MODULES.contains(&name);
                self.out.note_unread(if known { name } else { "content (unknown module)" });
                module.mark();
            }
        }
    }

    /// Modules below an element, outermost first; whether there was one. Each element is visited once.
    fn nested(&mut self, below: Element<'_, 'a>, given: bool) -> bool {
        let mut found = false;
        for child in below.peek() {
            let inside = if MODULES.contains(&child.name()) {
                // Inside a record of drugs that were given, not of what was ordered.
                self.administered = given;
                self.module(child);
                self.administered = false;
                true
            } else {
                self.nested(child, given || child.name() == "rxRecord")
            };
            if inside {
                child.look();
                found = true;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
