import Diagnostics

// Every sentence of the training target; tests pin them.

extension Problem {
    private static func key(_ path: String) -> Place { Place(detail: [path]) }

    // MARK: Recipes

    static func keyTwice(_ file: String, line: Int, _ key: String) -> Problem {
        Problem(
            .data, "key \"\(oneLine(key, limit: 60))\" given twice", at: .file(file, "line \(line)")
        )
    }
    static func strangeTag(_ file: String, line: Int?, _ tag: String) -> Problem {
        Problem(
            .data, "unknown YAML tag \"\(oneLine(tag, limit: 80))\"",
            at: Place(file: file, detail: line.map { ["line \($0)"] } ?? []),
            hint: "a recipe is plain data")
    }
    static func tooManyAliases(_ file: String) -> Problem {
        Problem(
            .data, "too many YAML aliases", at: .file(file),
            expected: "at most \(RecipeFile.aliasLimit)")
    }
    static func recipeExpands(_ file: String) -> Problem {
        Problem(
            .data, "the recipe is too large with its aliases written out", at: .file(file),
            expected: "at most \(RecipeFile.nodeLimit) values")
    }
    static func recipeEmpty(_ file: String) -> Problem {
        Problem(.data, "the recipe is empty", at: .file(file), expected: "data, model and method")
    }
    static func recipeNotMapping(_ file: String) -> Problem {
        Problem(
            .data, "the recipe is not a mapping", at: .file(file),
            expected: "lines of the form key: value")
    }
    static func recipeTooLarge(_ file: String) -> Problem {
        Problem(
            .data, "file too large for a recipe", at: .file(file),
            expected: "at most \(RecipeFile.sizeLimit) bytes")
    }
    static func recipeTooDeep(_ file: String, line: Int) -> Problem {
        Problem(
            .data, "nested too deeply", at: .file(file, "line \(line)"),
            expected: "at most \(RecipeFile.depthLimit) levels")
    }
    static func notAssignment(_ text: String) -> Problem {
        Problem(
            .usage, "not an assignment", at: .init(detail: ["--set"]),
            found: "\"\(oneLine(text, limit: 60))\"", expected: "key.path=value")
    }
    static func unknownMethod(_ name: String, known: [String]) -> Problem {
        Problem(
            .data, "unknown method \"\(oneLine(name, limit: 60))\"", at: key("method.name"),
            hint: Suggestion.hint(for: name, among: known))
    }
    /// - Parameter without: the methods that need none.
    static func dataMissing(_ method: String, without: [String]) -> Problem {
        Problem(
            .data, "method \(method) needs data", at: key("data.kind"), found: "none",
            hint: without.isEmpty ? nil : "only \(without.joined(separator: ", ")) does without")
    }
    static func teacherHasOtherShape(
        _ file: String, _ found: [Int], _ expected: [Int]
    ) -> Problem {
        Problem(
            .data, "the teacher was trained on samples of another shape", at: .file(file),
            found: "\(found)", expected: "\(expected) of the data")
    }
    static func pixelsInOtherOrder(_ file: String) -> Problem {
        Problem(
            .data, "the teacher was trained on pixels in another order of columns", at: .file(file),
            hint: "give the tables' columns one order")
    }
    static func notComparison(_ file: String) -> Problem {
        Problem(
            .data, "the comparison has no rows", at: .file(file, "rows"),
            expected: "a list with at least one entry")
    }
    static func searchTooLarge(_ row: String, _ count: Int) -> Problem {
        Problem(
            .data, "the search is too large", at: .init(detail: ["search of \(row)"]),
            found: "\(count) settings", expected: "at most 200")
    }
    static func twoRowsOfOneName(_ file: String, _ name: String) -> Problem {
        Problem(.data, "two rows of the same name", at: .file(file, "rows"), found: "\"\(name)\"")
    }

    // MARK: Data

    static func noiseOnText(_ kind: String) -> Problem {
        Problem(
            .data, "noise of kind \(kind) needs images or a table of numbers",
            at: key("noise.kind"),
            found: "text")
    }
    static func limitTooLarge(_ limit: Int, _ count: Int) -> Problem {
        Problem(
            .data, "value out of range", at: key("data.limit"), found: "\(limit)",
            expected: "at most the \(count) training samples")
    }

    // MARK: Training

    static func interrupted(checkpoint: String?) -> Problem {
        Problem(
            .interrupted, "interrupted",
            hint: checkpoint.map { "checkpoint \($0); continue with --resume" })
    }

    // MARK: Run folders and checkpoints

    static func recipeChanged(_ folder: String) -> Problem {
        Problem(
            .data, "the recipe is not the one of this run", at: .file(folder),
            hint: "leave the recipe out to resume with the run's own, or give another --out")
    }
}
