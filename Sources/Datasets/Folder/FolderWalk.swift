import Diagnostics
import Files
import Foundation

/// What tells without opening a file whether it is still the one it was.
struct FileStamp: Hashable, Sendable {
    var size: Int64
    /// Nanoseconds since 1970 of the last change of the content, and of the content or what the system
    /// knows of the file: nobody sets the second one back.
    var modified: Int64
    var changed: Int64
    var inode: UInt64
    var device: UInt64

    init(_ info: stat) {
        func nanoseconds(_ time: timespec) -> Int64 {
            Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        }
        size = Int64(info.st_size)
        #if canImport(Darwin)
            (modified, changed) = (
                nanoseconds(info.st_mtimespec), nanoseconds(info.st_ctimespec)
            )
        #else
            (modified, changed) = (nanoseconds(info.st_mtim), nanoseconds(info.st_ctim))
        #endif
        inode = UInt64(info.st_ino)
        device = UInt64(truncatingIfNeeded: info.st_dev)
    }
}

/// The files below a folder, without those that are hidden or that systems leave behind. Links are followed
/// to files inside the folder and to nothing else.
struct FolderWalk {
    /// As the user wrote it.
    let root: String
    /// Behind all links.
    let realRoot: String
    /// By their paths from `root`, in order of their Unicode scalars.
    private(set) var files: [String] = []
    private(set) var refused: [UnreadFile] = []

    static let deepest = 32

    init(_ root: String) throws(Problem) {
        self.root = root
        guard let real = realpath(root, nil) else { throw .cannot("read", root, errno) }
        defer { free(real) }
        realRoot = String(cString: real)
        var info = stat()
        guard stat(realRoot, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw .cannot("read", root, ENOTDIR)
        }
    }

    /// What a folder holds.
    struct Content {
        var files: [String] = []
        var folders: [String] = []
    }

    /// Names in a folder, sorted. Links that lead nowhere or out are refused.
    mutating func content(of folder: String) throws(Problem) -> Content {
        let whole = folder.isEmpty ? root : "\(root)/\(folder)"
        guard let stream = opendir(whole) else { throw .cannot("read", whole, errno) }
        defer { closedir(stream) }
        var content = Content()
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                Array(raw.prefix { $0 != 0 })
            }
            guard !FolderWalk.isPassedOver(name) else { continue }
            let text = String(decoding: name, as: UTF8.self)
            let path = folder.isEmpty ? text : "\(folder)/\(text)"
            guard Array(text.utf8) == name else {
                refuse(path, "a name that is not UTF-8")
                continue
            }
            if let fault = NameRule.fault(in: path) {
                refuse(path, "a name of \(fault)")
                continue
            }
            var info = stat()
            guard lstat("\(root)/\(path)", &info) == 0 else { continue }
            switch info.st_mode & S_IFMT {
            case S_IFREG: content.files.append(path)
            case S_IFDIR: content.folders.append(path)
            case S_IFLNK: if follows(path) { content.files.append(path) }
            default: refuse(path, "neither a file nor a folder")
            }
        }
        content.files.sort(by: FolderWalk.precedes)
        content.folders.sort(by: FolderWalk.precedes)
        return content
    }

    /// Adds every file below a folder.
    mutating func walk(_ folder: String, depth: Int = 0) throws(Problem) {
        guard depth < FolderWalk.deepest else {
            return refuse(folder, "a folder deeper than \(FolderWalk.deepest) others")
        }
        let content = try content(of: folder)
        files += content.files
        for inner in content.folders { try walk(inner, depth: depth + 1) }
    }

    /// Whether a path of a link, or of a file with links above it, leads to a file inside the folder. What does
    /// not is refused.
    mutating func follows(_ path: String) -> Bool {
        guard let real = realpath("\(root)/\(path)", nil) else {
            refuse(path, errno == ENOENT ? "no such file" : "a link that leads nowhere")
            return false
        }
        defer { free(real) }
        let target = String(cString: real)
        guard target.hasPrefix(realRoot == "/" ? "/" : realRoot + "/") else {
            refuse(path, "a link that leaves the folder")
            return false
        }
        var info = stat()
        guard stat(target, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            refuse(path, "a link to something else than a file")
            return false
        }
        return true
    }

    mutating func refuse(_ path: String, _ what: String) {
        refused.append(UnreadFile(path: path, problem: .notTaken("\(root)/\(path)", what)))
    }

    static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    private static let leftBehind: Set<String> = ["thumbs.db", "desktop.ini", "__macosx", "icon\r"]

    private static func isPassedOver(_ name: [UInt8]) -> Bool {
        name.first == UInt8(ascii: ".")
            || leftBehind.contains(String(decoding: name, as: UTF8.self).lowercased())
    }
}
