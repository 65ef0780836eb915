import Diagnostics

// Sentences about folders that are written into; tests pin them.

extension Problem {
    static func runExists(_ folder: String) -> Problem {
        Problem(
            .usage, "the run folder is there already", at: .file(folder),
            hint: "continue with --resume, or give another --out")
    }
    static func notOurFolder(_ folder: String, _ name: String, _ what: String) -> Problem {
        Problem(
            .usage, "the folder holds other files", at: .file(folder),
            found: "\"\(oneLine(name, limit: 60))\"",
            expected: "a new or empty folder, or one of the same \(what)",
            hint: "give another --out")
    }
    static func noFolderForOutput(_ path: String) -> Problem {
        Problem(
            .usage, "not a folder", at: .file(path), expected: "a new or empty folder",
            hint: "give another --out")
    }
    static func emptyFolderName() -> Problem {
        Problem(
            .usage, "no name of a folder", found: "\"\"", expected: "a new or empty folder",
            hint: "give another --out")
    }
}
