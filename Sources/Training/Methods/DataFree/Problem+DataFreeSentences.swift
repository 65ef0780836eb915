import Diagnostics

/// Sentences of distillation without data. Tests pin them.
extension Problem {
    private static func key(_ path: String) -> Place { Place(detail: [path]) }

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

    static func normalisationUnknown(_ file: String?) -> Problem {
        Problem(
            .data, "the teacher does not say how its inputs were normalised",
            at: file.map { .file($0) } ?? key("method.normalisation"),
            hint: "set method.normalisation to {mean: […], std: […]}, or to learnt")
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
            hint: "lower method.synthesis.learning-rate; "
                + (checkpoint.map { "the last checkpoint is \($0)" }
                    ?? "no checkpoint was written yet"))
    }
}
