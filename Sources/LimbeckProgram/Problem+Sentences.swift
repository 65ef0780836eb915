import Diagnostics
import PyTorchFiles

// Every sentence of the program itself; tests pin them.

extension Problem {
    static func searchInTrain(_ file: String) -> Problem {
        Problem(
            .data, "train does one run and cannot search", at: .file(file, "search"),
            hint: "use limbeck compare")
    }
    static func rowsInTrain(_ file: String) -> Problem {
        Problem(
            .data, "this is a comparison, not a recipe", at: .file(file, "rows"),
            hint: "use limbeck compare")
    }
    static func rowsInAudit(_ file: String) -> Problem {
        Problem(
            .data, "this is a comparison, not a recipe", at: .file(file, "rows"),
            hint: "audit takes a recipe of one method")
    }
    static func searchInAudit(_ file: String) -> Problem {
        Problem(
            .data, "audit does not search", at: .file(file, "search"),
            hint: "use limbeck compare, and give audit the setting that it chose")
    }
    static func auditSettings(_ file: String) -> Problem {
        Problem(
            .data, "not the settings of an audit", at: .file(file),
            hint: "remove it and give the recipe or the table again")
    }
    static func notForAudit(_ path: String) -> Problem {
        Problem(
            .data, "neither a run nor an audit", at: .file(path),
            expected: "a recipe, a table, or a folder that train or audit wrote")
    }
    static func manyClassesForIDX(_ count: Int) -> Problem {
        Problem(
            .data, "IDX files hold at most 256 classes", at: .init(detail: ["classes"]),
            found: "\(count)")
    }
    static func notDataFree(_ file: String, _ method: String) -> Problem {
        Problem(
            .data, "the recipe makes no images", at: .file(file, "method.name"), found: method,
            expected: "data-free")
    }
    static func noRun(_ folder: String) -> Problem {
        Problem(.io, "no run to resume", at: .file(folder), expected: "a folder with recipe.yaml")
    }
    static func unknownWord(_ option: String, _ word: String, _ known: [String]) -> Problem {
        Problem(
            .usage, "unknown word \"\(oneLine(word, limit: 40))\"", at: .init(detail: [option]),
            hint: Suggestion.hint(for: word, among: known))
    }
    static func noDevice(_ name: String) -> Problem {
        Problem(
            .usage, "no such device here", at: .init(detail: ["--device"]), found: name,
            hint: "this machine offers: cpu")
    }
    static func noRecipe() -> Problem {
        Problem(.usage, "no recipe", hint: "limbeck train RECIPE.yaml, or --resume --out RUN")
    }
    static func badSeeds(_ text: String) -> Problem {
        Problem(
            .usage, "wrong value", at: .init(detail: ["--seeds"]),
            found: "\"\(oneLine(text, limit: 40))\"",
            expected: "different whole numbers, separated by commas")
    }
    static func notAFolder(_ path: String) -> Problem {
        Problem(
            .data, "neither a run nor a comparison", at: .file(path),
            expected: "a folder that train or compare finished")
    }
    static func noData() -> Problem {
        Problem(
            .usage, "no samples to evaluate on",
            hint: "give a run folder, --recipe, --table, or --images with --labels")
    }
    static func optionWithoutUse(_ option: String, for what: String) -> Problem {
        Problem(.usage, "the option does not apply here", at: .init(detail: [option]), found: what)
    }
    static func contradiction(_ a: String, _ b: String, _ hint: String) -> Problem {
        Problem(.usage, "\(a) and \(b) contradict each other", hint: hint)
    }
    static func otherMap(_ file: String) -> Problem {
        Problem(
            .usage, "this map was begun with other settings", at: .file(file),
            hint: "give another --out, or the settings it was begun with")
    }
    static func badMap(_ file: String) -> Problem {
        Problem(
            .data, "not a map's points", at: .file(file),
            hint: "remove it to begin anew, or give another --out")
    }
    static func mapInterrupted(_ done: Int, _ total: Int) -> Problem {
        Problem(
            .interrupted, "interrupted", found: "\(done) of \(total) points done",
            hint: "run the same command again to continue")
    }
    /// - Parameter places: of a curve or a map.
    static func unsolved(_ places: [String], of count: Int) -> Problem {
        let shown = places.prefix(20).joined(separator: ", ")
        let more = places.count > 20 ? " and \(places.count - 20) more" : ""
        return Problem(
            .data, "the equations were not solved everywhere",
            found: "\(places.count) of \(count) points without a solution: \(shown)\(more)",
            hint:
                "a learnt bias runs away where labels are of one class: carry or fix it, or change "
                + "lambda")
    }
    static func disagreement(_ stages: [Int]) -> Problem {
        Problem(
            .data, "theory and simulation disagree",
            found: "stage \(stages.map(String.init).joined(separator: ", "))",
            expected: "m within four standard errors, Q within 3 %",
            hint: "small N deviates: take a larger --simulate")
    }
    static func noFeatureData() -> Problem {
        Problem(.usage, "no data to take features of", hint: "give --recipe, or a run folder")
    }
    static func pairMissing(_ classes: Int) -> Problem {
        Problem(
            .usage, "which two classes", at: .init(detail: ["--classes"]),
            found: "\(classes) classes", expected: "two of them, separated by a comma")
    }
    static func experimentInterrupted() -> Problem {
        Problem(.interrupted, "interrupted", hint: "nothing was written")
    }
    static func wrongOption(_ option: String, _ text: String, _ expected: String) -> Problem {
        Problem(
            .usage, "wrong value", at: .init(detail: [option]),
            found: "\"\(oneLine(text, limit: 60))\"", expected: expected)
    }
    static func mapNotForModel(_ map: String, _ model: String) -> Problem {
        Problem(
            .usage, "this name map is not for the model \(model)", at: .init(detail: ["--map"]),
            found: map)
    }
    static func namesDiffer(_ file: String, _ match: NameMatch, _ model: String) -> Problem {
        if let first = match.mismatched.first {
            return Problem(
                .data, "a tensor does not fit the model \(model)",
                at: .file(file, "tensor \"\(oneLine(first.from, limit: 80))\""),
                found: first.found, expected: first.expected,
                hint: match.mismatched.count > 1
                    ? "\(match.mismatched.count) tensors do not fit" : nil)
        }
        let parts = [("missing", match.missing), ("unexpected", match.unexpected)]
            .filter { !$0.1.isEmpty }
            .map { "\($0.1.count) \($0.0) (\(oneLine($0.1[0], limit: 60)), …)" }
        return Problem(
            .data, "the names are not those of the model \(model)", at: .file(file),
            found: parts.joined(separator: " and "),
            hint: "--list shows the file's names, --map renames them")
    }
}
