/// For each of many groups, the rows with the largest keys: as many as the group's capacity. Of equal keys the
/// earlier row counts as larger, so that the choice does not depend on the order in which rows come.
///
/// A heap for each group, its smallest row at the root, all of them in one array.
struct LargestRows<Key: BinaryFloatingPoint> {
    private struct Entry {
        let key: Key
        let row: Int32

        func isLess(than other: Entry) -> Bool {
            key < other.key || (key == other.key && row > other.row)
        }
    }

    /// A row whose key is below is not taken: −∞ while there is room, ∞ where there is never any.
    private(set) var cuts: [Key]
    private let starts: [Int]
    private var counts: [Int32]
    private var entries: [Entry]

    init(capacities: [Int]) {
        var starts = [0]
        starts.reserveCapacity(capacities.count + 1)
        for capacity in capacities { starts.append(starts.last! + capacity) }
        self.starts = starts
        cuts = capacities.map { $0 > 0 ? -.infinity : .infinity }
        counts = [Int32](repeating: 0, count: capacities.count)
        entries = [Entry](repeating: Entry(key: 0, row: 0), count: starts.last!)
    }

    /// Rows of all groups; one that is in several comes several times.
    var rows: [Int] {
        counts.indices.flatMap { group in
            (starts[group]..<starts[group] + Int(counts[group])).map { Int(entries[$0].row) }
        }
    }

    mutating func offer(_ key: Key, _ row: Int, to group: Int) {
        guard key >= cuts[group] else { return }
        let start = starts[group]
        let capacity = starts[group + 1] - start
        let entry = Entry(key: key, row: Int32(row))
        let count = Int(counts[group])
        if count < capacity {
            rise(entry, start, from: count)
            counts[group] += 1
            if count + 1 < capacity { return }
        } else {
            guard entries[start].isLess(than: entry) else { return }
            sink(entry, start, count)
        }
        cuts[group] = entries[start].key
    }

    private mutating func rise(_ entry: Entry, _ start: Int, from place: Int) {
        var place = place
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.isLess(than: entries[start + parent]) else { break }
            entries[start + place] = entries[start + parent]
            place = parent
        }
        entries[start + place] = entry
    }

    /// `entry` takes the place of the root.
    private mutating func sink(_ entry: Entry, _ start: Int, _ count: Int) {
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < count else { break }
            if child + 1 < count, entries[start + child + 1].isLess(than: entries[start + child]) {
                child += 1
            }
            guard entries[start + child].isLess(than: entry) else { break }
            entries[start + place] = entries[start + child]
            place = child
        }
        entries[start + place] = entry
    }
}
