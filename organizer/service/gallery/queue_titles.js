// What the queues are called, and what they are about: by their names in the address.
export const QUEUE_TITLES = {
  suggestions: {
    title: "Suggestions",
    about: "What your names teach: groups of images that look like a named cluster, to accept or not.",
  },
  questions: {
    title: "Worth asking",
    about: "The images whose answer teaches most. A few of them, and the suggestions are better.",
  },
  doubtful: {
    title: "Doubtful",
    about: "Images that disagree with their neighbours, the most doubtful first.",
  },
  review: {
    title: "Review sample",
    about: "A random sample: what share of the images is right, with an interval, for the report.",
  },
};
