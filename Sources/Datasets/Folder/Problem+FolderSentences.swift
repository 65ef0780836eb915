import Diagnostics

// Every sentence about folders of pictures; tests pin them.

extension Problem {
    static func noPictures(_ folder: String) -> Problem {
        Problem(
            .data, "no pictures", at: .file(folder),
            expected: "a folder for each class with pictures in it, or labels.csv",
            hint: "train, val and test may stand above the classes")
    }

    static func notTaken(_ path: String, _ what: String) -> Problem {
        Problem(.data, "not taken", at: .file(path), found: what)
    }

    static func noLabelTable(_ folder: String, key: String) -> Problem {
        Problem(
            .data, "key goes with a file labels.csv", at: Place(detail: ["data.\(key)"]),
            found: "no such file in \(oneLine(folder, limit: 200))")
    }

    static func tooManyFolders(_ folder: String, _ count: Int) -> Problem {
        Problem(
            .data, "too many classes", at: .file(folder), found: "\(count)",
            expected: "at most \(Table.mostClasses)")
    }

    static func partTwice(_ folder: String, _ names: [String]) -> Problem {
        Problem(
            .data, "a part of the data is there twice", at: .file(folder),
            found: names.joined(separator: ", "), expected: "train, and val or test or both")
    }

    static func folderOfNoClass(
        _ path: String, _ name: String, among known: [String]
    ) -> Problem {
        Problem(
            .data, "unknown class", at: .file(path),
            found: "\"\(oneLine(name, limit: 40))\"",
            hint: Suggestion.hint(for: name, among: known))
    }

    static func noLabelColumn(_ file: String, _ name: String, among known: [String]) -> Problem {
        Problem(
            .data, "no column \"\(oneLine(name, limit: 40))\"", at: .file(file, "line 1"),
            hint: Suggestion.hint(for: name, among: known))
    }

    static func pictureTwice(_ file: String, line: Int, _ path: String, before: Int) -> Problem {
        Problem(
            .data, "picture named twice", at: .file(file, "line \(line)"),
            found: "\"\(oneLine(path, limit: 60))\", as in line \(before)")
    }

    static func pathLeaves(_ file: String, line: Int, _ path: String) -> Problem {
        Problem(
            .data, "path leaves the folder", at: .file(file, "line \(line)"),
            found: "\"\(oneLine(path, limit: 60))\"", expected: "a path from the folder itself")
    }

    static func unknownPart(_ file: String, line: Int, _ word: String) -> Problem {
        Problem(
            .data, "unknown part", at: .file(file, "line \(line)", "column split"),
            found: "\"\(oneLine(word, limit: 40))\"", expected: "train, val or test")
    }

    static func tooManyBad(
        _ folder: String, _ bad: Int, of count: Int, most: Double, first: Problem
    ) -> Problem {
        Problem(
            .data, "too many files are no usable pictures", at: .file(folder),
            found: "\(bad) of \(count)", expected: "at most a share of \(most) (data.most-bad)",
            hint: "the first: \(oneLine(first.description, limit: 300))")
    }

    static func picturesTooLarge(_ folder: String, count: Int, shape: [Int]) -> Problem {
        Problem(
            .data, "the pictures do not fit in memory at this size", at: .file(folder),
            found: "\(count) of \(shape)", expected: "at most 2^33 bytes in all",
            hint: "a smaller data.size")
    }
}
