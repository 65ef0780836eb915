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
    static func dataMissing(_ method: String) -> Problem {
        Problem(
            .data, "method \(method) needs data", at: key("data.kind"), found: "none",
            hint: "only data-free does without")
    }
    static func teacherMissing() -> Problem {
        Problem(
            .data, "there is no data to train the teacher on", at: key("method.teacher.file"),
            found: "data.kind none and no file", hint: "give the teacher's weights as a file")
    }
    static func noiseWithoutData(_ kind: String) -> Problem {
        Problem(
            .data, "there are no labels to corrupt", at: key("noise.kind"), found: kind,
            expected: "clean, as data.kind is none")
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
    static func normalisationUnknown(_ file: String?) -> Problem {
        Problem(
            .data, "the teacher does not say how its inputs were normalised",
            at: file.map { .file($0) } ?? key("method.normalisation"),
            hint: "set method.normalisation to {mean: […], deviation: […]}, or to learnt")
    }
    static func normalisationCount(_ found: Int, _ expected: Int) -> Problem {
        Problem(
            .data, "normalisation does not fit the images", at: key("method.normalisation"),
            found: "\(found) values", expected: "one per channel, \(expected)")
    }
    static func embeddingsWithoutUse(_ method: String) -> Problem {
        Problem(
            .data, "only nayer uses embeddings", at: key("method.embeddings"),
            found: "synthesis.method \(method)")
    }
    static func notImages(_ shape: [Int]) -> Problem {
        Problem(
            .data, "data-free distillation makes images", at: key("data.kind"),
            found: "samples of shape \(shape)", expected: "images")
    }
    static func noPool(_ folder: String) -> Problem {
        Problem(
            .data, "no pool of synthetic images", at: .file(folder),
            expected: "a finished run of method data-free")
    }
    static func cannotMap(_ path: String) -> Problem {
        Problem(.io, "cannot read", at: .file(path))
    }
    static func synthesisNotFinite(
        term: String, phase: String, epoch: Int, batch: Int, step: Int, checkpoint: String?
    ) -> Problem {
        Problem(
            .data, "the loss of the search for images is not finite",
            at: .init(
                detail: [
                    "phase \(phase)", "synthesis epoch \(epoch + 1)", "batch \(batch + 1)",
                    "step \(step)",
                ]), found: "term \"\(term)\"", expected: "a finite number",
            hint: "lower method.synthesis.rate; "
                + (checkpoint.map { "the last checkpoint is \($0)" }
                    ?? "no checkpoint was written yet"))
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
    static func relationsNeedImages(_ name: String) -> Problem {
        Problem(
            .data, "relations are learnt from images only", at: key("relation"),
            found: "\(name), which has none")
    }
    static func relationsNeedSamples() -> Problem {
        Problem(
            .data, "relations are between samples", at: key("relation"),
            found: "method data-free, whose student sees none",
            expected: "a method that learns from labelled samples")
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
