import Diagnostics
import Files
import Foundation

/// Which files of a folder are samples, and what is said of them; nothing is opened yet but `labels.csv`.
struct PictureFolder {
    enum Part: String, CaseIterable { case train, validation, test }

    struct Entry {
        /// From the folder.
        var path: String
        var label: String
        var clean: String?
        var group: String?
        var part = Part.train
    }

    let path: String
    /// The folder behind all links.
    let realPath: String
    /// In order: training, validation, test samples, each by class and path, or by the rows of `labels.csv`.
    private(set) var entries: [Entry] = []
    /// In order of their Unicode scalars.
    private(set) var classNames: [String] = []
    private(set) var unread: [UnreadFile] = []
    private(set) var warnings: [String] = []

    static let tableName = "labels.csv"

    init(_ source: FolderSource) throws(Problem) {
        path = source.path
        var walk = try FolderWalk(source.path)
        realPath = walk.realRoot
        let content = try walk.content(of: "")
        if content.files.contains(PictureFolder.tableName) {
            // What the table does not name does not count.
            walk = try FolderWalk(path)
            entries = try LabelTable(source, &walk).entries
            classNames =
                source.classNames
                ?? Set(entries.map(\.label) + entries.compactMap(\.clean))
                .sorted(by: FolderWalk.precedes)
        } else {
            if let key = source.usedTableKey { throw .noLabelTable(path, key: key) }
            try readClasses(content, &walk)
            classNames = source.classNames ?? classNames
            let known = Set(classNames)
            if let odd = entries.first(where: { !known.contains($0.label) }) {
                throw .folderOfNoClass("\(path)/\(odd.path)", odd.label, among: classNames)
            }
        }
        unread = walk.refused
        // Which training samples are learnt from and which select is the caller's order.
        entries = Part.allCases.flatMap { part in entries.filter { $0.part == part } }
        guard classNames.count <= Table.mostClasses else {
            throw .tooManyFolders(path, classNames.count)
        }
    }

    private static let parts: [String: Part] = [
        "train": .train, "val": .validation, "valid": .validation, "validation": .validation,
        "test": .test,
    ]

    private mutating func readClasses(
        _ content: FolderWalk.Content, _ walk: inout FolderWalk
    ) throws(Problem) {
        try refuseLinkedFolders(walk)
        let parts = content.folders.map { PictureFolder.parts[$0] }
        var isSplit = content.folders.contains("train") && parts.allSatisfy { $0 != nil }
        var probe = walk
        if isSplit { isSplit = try !probe.content(of: "train").folders.isEmpty }
        guard isSplit else {
            try readClasses(content.folders, .train, &walk)
            classNames = content.folders
            warnAboutFiles(content.files.count, "beside the folders of the classes")
            return
        }
        if Set(parts).count < parts.count { throw .partTwice(path, content.folders) }
        warnAboutFiles(content.files.count, "beside the folders of the parts")
        for folder in content.folders {
            let part = PictureFolder.parts[folder]!
            let inner = try walk.content(of: folder)
            try refuseLinkedFolders(walk)
            warnAboutFiles(inner.files.count, "of \(folder) beside the folders of the classes")
            if part == .train { classNames = inner.folders.map(PictureFolder.name) }
            try readClasses(inner.folders, part, &walk)
        }
    }

    private mutating func readClasses(
        _ folders: [String], _ part: Part, _ walk: inout FolderWalk
    ) throws(Problem) {
        for folder in folders {
            let before = walk.files.count
            try walk.walk(folder)
            let name = PictureFolder.name(folder)
            // By the whole path, not folder by folder.
            entries += walk.files[before...].sorted(by: FolderWalk.precedes)
                .map { Entry(path: $0, label: name, part: part) }
        }
    }

    /// What is behind the last slash.
    private static func name(_ path: String) -> String {
        let bytes = path.utf8
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[bytes.index(after: slash)...])
    }

    /// A link to a folder would be a class, or a part, that is missing without much notice.
    private func refuseLinkedFolders(_ walk: FolderWalk) throws(Problem) {
        for link in walk.refused where FileManager.default.isFolder("\(path)/\(link.path)") {
            throw link.problem
        }
    }

    private mutating func warnAboutFiles(_ count: Int, _ place: String) {
        if count > 0 { warnings.append("\(count) files \(place) are no samples") }
    }

    /// Every file below a folder, whatever it is: outputs must be none of them.
    static func everyFile(in folder: String) -> [String] {
        guard var walk = try? FolderWalk(folder), (try? walk.walk("")) != nil else { return [] }
        return (walk.files + walk.refused.map(\.path)).map { "\(folder)/\($0)" }
    }
}

extension FolderSource {
    /// A key that only means something beside `labels.csv`.
    fileprivate var usedTableKey: String? {
        if clean != nil { return "clean" }
        if group != nil { return "group" }
        return label == "label" ? nil : "label"
    }
}

extension FileManager {
    fileprivate func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
