import Diagnostics

/// Samples of a folder of pictures whose files were read.
struct FolderSamples {
    private let folder: PictureFolder
    private let source: FolderSource
    private let store: PictureStore
    /// Entries that are samples.
    private let good: [Int]
    private let channels: Int

    init(
        _ folder: PictureFolder, _ store: PictureStore, _ source: FolderSource
    ) throws(Problem) {
        (self.folder, self.store, self.source) = (folder, store, source)
        var (good, channels) = ([Int](), source.channels ?? 1)
        for (i, record) in store.records.enumerated() {
            guard case .pixels(_, let own, _) = record.content else { continue }
            good.append(i)
            channels = max(channels, own)
        }
        (self.good, self.channels) = (good, channels)
    }

    func samples() throws(Problem) -> SourceSamples {
        let unread = self.unread
        let count = folder.entries.count + folder.unread.count
        if let first = unread.first,
            Double(unread.count) > source.mostBad * Double(count) || good.isEmpty
        {
            throw .tooManyBad(
                source.path, unread.count, of: count, most: source.mostBad, first: first.problem)
        }
        let shape = [channels] + source.size
        guard let bytes = checkedProduct([good.count] + shape), bytes <= 1 << 33 else {
            throw .picturesTooLarge(source.path, count: good.count, shape: shape)
        }
        let isTest = { folder.entries[$0].part == .test }
        let (learning, test) = (good.filter { !isTest($0) }, good.filter(isTest))
        guard !learning.isEmpty else { throw .noPictures(source.path) }
        let (groups, shared) = self.groups(learning, test)
        var samples = SourceSamples(
            learning: try dataset(learning, groups),
            test: test.isEmpty ? nil : try dataset(test, nil))
        samples.unread = unread
        samples.warnings =
            folder.warnings + store.warnings + unread.map { "\($0.problem)" } + shared
        for i in good { samples.contents[folder.entries[i].path] = store.records[i].sha256 }
        return samples
    }

    /// What was not taken, and what turned out to be no usable picture.
    private var unread: [UnreadFile] {
        folder.unread
            + store.records.compactMap { record in
                guard case .unusable(var problem) = record.content else { return nil }
                problem.place = .file("\(source.path)/\(record.path)")
                return UnreadFile(path: record.path, problem: problem)
            }
    }

    private func dataset(_ members: [Int], _ groups: [Int]?) throws(Problem) -> Dataset {
        let plane = source.size[0] * source.size[1]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(members.count * plane * channels)
        for i in members {
            guard case .pixels(let pixels, let own, _) = store.records[i].content else { continue }
            // A grey picture among coloured ones.
            for _ in 0..<(own == channels ? 1 : channels) { bytes += pixels }
        }
        let place = places(of: folder.classNames)
        let entries = members.map { folder.entries[$0] }
        let isValidation = entries.map { $0.part == .validation }
        // All of the folder's pictures have a clean label or none.
        let clean = entries.compactMap { $0.clean.flatMap { place[$0] } }
        return try Dataset(
            name: source.path,
            features: .images(
                bytes: bytes, channels: channels, height: source.size[0], width: source.size[1]),
            labels: entries.map { place[$0.label]! },
            clean: clean.count == entries.count ? clean : nil, groups: groups,
            classNames: folder.classNames, ids: entries.map(\.path),
            ownValidation: isValidation.contains(true) ? isValidation : nil)
    }

    /// Which samples have to stay together (those of one group of the user's, and those that look alike), and
    /// what is to be said of pictures that stand on two sides already. No groups where each sample is one.
    private func groups(
        _ learning: [Int], _ test: [Int]
    ) -> (groups: [Int]?, warnings: [String]) {
        var sets = Sets(count: learning.count)
        var first: [String: Int] = [:]
        for (place, i) in learning.enumerated() {
            guard let group = folder.entries[i].group else { continue }
            sets.join(place, first[group] ?? place)
            first[group] = first[group] ?? place
        }
        var warnings: [String] = []
        if source.groupsAlike {
            let all = learning + test
            let alike = Likeness.pairs(all.map { thumbnail($0) })
            var own = sets
            for (a, b) in alike where b < learning.count { own.join(a, b) }
            let largest = own.largest
            let before = sets.largest
            if largest > max(before, Sets.most(learning.count)) {
                warnings.append(
                    "\(largest) of \(learning.count) pictures look so much alike that they cannot be kept on one "
                        + "side of a split: they are split as if they were not (data.group-alike)")
            } else {
                sets = own
            }
            // Equal ones are counted by others.
            let crossing = Set(
                alike.filter { a, b in
                    a < learning.count && b >= learning.count
                        && store.records[all[a]].content != store.records[all[b]].content
                }.map(\.1))
            if !crossing.isEmpty {
                warnings.append(
                    "\(crossing.count) test pictures look like training pictures: the test accuracy may be too "
                        + "good to be true")
            }
        }
        return (sets.isTrivial ? nil : sets.numbers, warnings)
    }

    private func thumbnail(_ entry: Int) -> [UInt8] {
        guard case .pixels(_, _, let thumbnail) = store.records[entry].content else { return [] }
        return thumbnail
    }

    /// Disjoint sets of samples (union-find).
    private struct Sets {
        private var parent: [Int]

        init(count: Int) { parent = Array(0..<count) }

        /// More samples than this are never joined because they look alike.
        static func most(_ count: Int) -> Int { max(4, count / 20) }

        mutating func root(_ i: Int) -> Int {
            var i = i
            while parent[i] != i {
                parent[i] = parent[parent[i]]
                i = parent[i]
            }
            return i
        }

        mutating func join(_ a: Int, _ b: Int) {
            let (a, b) = (root(a), root(b))
            parent[max(a, b)] = min(a, b)
        }

        /// The first member of each sample's set.
        var numbers: [Int] {
            var copy = self
            return parent.indices.map { copy.root($0) }
        }

        var isTrivial: Bool { numbers == Array(parent.indices) }

        var largest: Int {
            Dictionary(numbers.map { ($0, 1) }, uniquingKeysWith: +).values.max() ?? 0
        }
    }
}
