import Diagnostics

// Sentences on records and files that are not what they were when they were written.

/// What a user can do about a file that is damaged.
enum Remedy {
    /// For the commands that train: they have the flag.
    case remake
    /// For those that read a run's folder.
    case remakeRun(String)
    /// For a run's recipe, which cannot be made again out of itself.
    case remakeWithRecipe(String)
    /// For a comparison's table.
    case compareAgain

    private var action: String {
        switch self {
        case .remake: "add --remake to make it again"
        case .remakeRun(let folder):
            "make it again with train --resume --remake --out \(Problem.oneLine(folder))"
        case .remakeWithRecipe(let folder):
            "make it again with train RECIPE.yaml --resume --remake --out \(Problem.oneLine(folder))"
        case .compareAgain: "run compare again with the same --out"
        }
    }

    var hint: String { "restore it from a copy, or \(action)" }
    /// For what is whole but cannot be checked.
    var hintIfOlder: String { "\(action), or give another --out" }
}

extension Problem {
    static func recordDamaged(_ file: String, _ remedy: Remedy) -> Problem {
        Problem(
            .data, "the record is damaged: its content does not match its hash", at: .file(file),
            hint: remedy.hint
        ).asDamage
    }
    static func recordLeadsOut(_ folder: String, _ name: String, _ remedy: Remedy) -> Problem {
        Problem(
            .data, "a record is damaged: it names a file outside its folder", at: .file(folder),
            found: "\"\(oneLine(name, limit: 60))\"", hint: remedy.hint
        ).asDamage
    }
    static func olderVersion(_ file: String, _ remedy: Remedy) -> Problem {
        Problem(
            .data, "made by an older version of this program, whose records carry no hashes",
            at: .file(file), hint: remedy.hintIfOlder
        ).asDamage
    }
    static func otherVersion(_ file: String) -> Problem {
        Problem(
            .data, "made by another version of this program", at: .file(file),
            expected: "records of version \(SealedRecord.version)", hint: "give another --out")
    }
    static func fileDamaged(
        _ file: String, found: String, expected: String, _ remedy: Remedy
    ) -> Problem {
        Problem(
            .data, "the file is damaged: its content does not match its record", at: .file(file),
            found: "sha256 \(found.prefix(12))…",
            expected: "\(oneLine(String(expected.prefix(12))))…",
            hint: remedy.hint
        ).asDamage
    }
    static func notFinished(_ folder: String) -> Problem {
        Problem(
            .data, "the run is not finished", at: .file(folder),
            hint: "go on with train --resume --out \(oneLine(folder))")
    }
    static func recordedFileMissing(_ file: String, _ remedy: Remedy) -> Problem {
        Problem(
            .data, "the file is missing, and a record names it", at: .file(file),
            hint: remedy.hint
        ).asDamage
    }
    static func checkpointDamaged(_ file: String, _ what: String) -> Problem {
        Problem(
            .data, "the checkpoint is damaged: \(what)", at: .file(file), hint: Remedy.remake.hint
        ).asDamage
    }
    static func phaseChanged(_ file: String) -> Problem {
        Problem(
            .data, "made for another recipe or data set", at: .file(file),
            hint: "give another --out")
    }

    private var asDamage: Problem {
        var problem = self
        problem.isDamage = true
        return problem
    }

    // MARK: Going on under other conditions

    /// Only what `--inexact` is for is told of it.
    static func otherEngine(
        _ folder: String, _ what: String, found: String, expected: String
    ) -> Problem {
        cannotResume(
            folder, what, found: found, expected: expected,
            hint: "resume with the same one, or with --inexact")
    }
    static func otherSetting(
        _ folder: String, _ what: String, found: String, expected: String, hint: String
    ) -> Problem {
        cannotResume(folder, what, found: found, expected: expected, hint: hint)
    }
    static func dataChanged(_ folder: String, found: String, expected: String) -> Problem {
        cannotResume(
            folder, "data", found: "sha256 \(found.prefix(12))…",
            expected: "sha256 \(expected.prefix(12))…",
            hint: "restore the data, or give another --out")
    }
    private static func cannotResume(
        _ folder: String, _ what: String, found: String, expected: String, hint: String
    ) -> Problem {
        Problem(
            .data, "cannot resume exactly: the \(what) differs", at: .file(folder), found: found,
            expected: expected, hint: hint)
    }
}
