import Diagnostics

// Every sentence of an audit's runs; tests pin them.
extension Problem {
    static func nothingToAudit(_ kind: String) -> Problem {
        Problem(
            .data, "there are no labels to audit", at: Place(detail: ["data"]),
            found: "data of kind \(kind)")
    }

    static func auditFolds(_ folds: Int) -> Problem {
        Problem(
            .usage, "value out of range", at: Place(detail: ["--folds"]), found: "\(folds)",
            expected: "2 to 50")
    }

    static func auditOfComparison(_ file: String, _ key: String) -> Problem {
        Problem(
            .data, "an audit takes one recipe", at: .file(file, key),
            found: "a comparison or search",
            expected: "a recipe that train takes")
    }

    static func foldOfOtherData(_ folder: String) -> Problem {
        Problem(
            .data, "the folds are of other data", at: .file(folder),
            hint: "give another --out, or remove the folder")
    }

    static func foldFailed(_ fold: String, _ reason: String) -> Problem {
        Problem(
            .data, "\(fold) failed: \(oneLine(reason, limit: 300))",
            hint: "the others are trained; change the recipe and run it again")
    }

    static func methodJudgesNothing(_ phase: String) -> Problem {
        Problem(
            .data, "the method judges no sample that it did not see",
            at: Place(detail: ["method.name"]), found: "phase \(oneLine(phase, limit: 40))",
            expected: "a method that learns from given labels", hint: "--method early-learning")
    }

    static func probabilityRows(_ path: String, _ rows: Int, _ samples: Int) -> Problem {
        Problem(
            .data, "not a row for each sample", at: .file(path), found: "\(rows) rows",
            expected: "\(samples), one for each sample as read")
    }

    static func probabilityClasses(_ path: String, _ found: Int, _ classes: Int) -> Problem {
        Problem(
            .data, "not a column for each class", at: .file(path), found: "\(found) columns",
            expected: "\(classes)")
    }

    static func budgetTooLarge(_ budget: Int, _ samples: Int) -> Problem {
        Problem(
            .usage, "value out of range", at: Place(detail: ["--budget"]), found: "\(budget)",
            expected: "1 to \(samples), the samples that are judged")
    }

    static func verdictOnOther(_ path: String, _ sample: Int) -> Problem {
        Problem(
            .data, "a verdict on a sample that is not judged", at: .file(path, "sample \(sample)"),
            hint: "is the sheet of this audit?")
    }

    static func labelOfVerdict(_ path: String, _ sample: Int, _ word: String) -> Problem {
        Problem(
            .data, "no such class", at: .file(path, "sample \(sample)"),
            found: "\"\(oneLine(word, limit: 60))\"", expected: "a class of the data")
    }

    static func labelAndAnnotators(_ label: String) -> Problem {
        Problem(
            .usage, "--label and --annotators contradict each other",
            hint: "with several annotators their consensus is the label")
    }

    static func annotatorColumns(_ names: [String]) -> Problem {
        Problem(
            .usage, "wrong value", at: Place(detail: ["--annotators"]),
            found: "\"\(oneLine(names.joined(separator: ","), limit: 60))\"",
            expected: "two different columns or more, separated by commas")
    }

    static func rowWithoutLabel(_ path: String, _ line: Int) -> Problem {
        Problem(
            .data, "a row without a label", at: .file(path, "line \(line)"),
            hint: "leave the row out: there is nothing to audit")
    }
}
